import type { Options } from "tsup";
import { arrowFunctions } from "./scripts/arrow-functions.mjs";
import { lightMaps } from "./scripts/source-maps.mjs";
import { standIns } from "./scripts/stand-ins.mjs";

/** How every package is built; a package adds its entries. */
export const base = {
  format: ["esm", "cjs"],
  // tsup hands the compiler a `baseUrl`, which TypeScript 6 calls deprecated.
  dts: { compilerOptions: { ignoreDeprecations: "6.0" } },
  // Also for CommonJS: without it a class imported from two entries of one package would be two classes.
  splitting: true,
  sourcemap: true,
  plugins: [lightMaps()],
  clean: true,
  target: "es2022",
  removeNodeProtocol: false,
} satisfies Options;

/**
 * How the build of a page in production is made (docs/decisions/0008). Terser inlines constants and what is used once before
 * an application's bundler sees it, which does neither across the top level of a module. Names stay, and annotations too:
 * without them the bundler could not leave out what a page does not use.
 */
export const page = {
  ...base,
  outDir: "dist/page",
  dts: false,
  platform: "neutral",
  minify: "terser",
  terserOptions: {
    ecma: 2020,
    mangle: false,
    compress: {
      passes: 3,
      toplevel: true,
      // No getter of ours does anything, so a value that nothing uses need not be read.
      pure_getters: true,
      // Functions stay where they are: copied to where they are called they compress worse, and more of them is kept.
      inline: 1,
      reduce_funcs: false,
      sequences: false,
      // For whoever develops; `status` and `onError` tell a page what it may want to pass on.
      pure_funcs: ["logger.debug", "parts.logger.debug"],
    },
    format: { beautify: true, preserve_annotations: true },
    sourceMap: true,
  },
} satisfies Options;

/** What is done to the sources for it: a module of src/page stands in for the one of the same name. `source` is the path of src. */
export const pagePlugins = (source: string): NonNullable<Options["esbuildPlugins"]> => [
  standIns(source),
  arrowFunctions(source),
];
