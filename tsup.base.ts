import type { Options } from "tsup";
import { arrowFunctions } from "./scripts/arrow-functions.mjs";
import { shipSourcesOnce } from "./scripts/source-maps.mjs";
import { standIns } from "./scripts/stand-ins.mjs";

/** The build of every package. Each package adds its entries. */
export const base = {
  format: ["esm", "cjs"],
  // tsup passes the compiler a `baseUrl`, which TypeScript 6 reports as deprecated.
  dts: { compilerOptions: { ignoreDeprecations: "6.0" } },
  // Also for CommonJS: without splitting, a class imported from two entries of one package would
  // exist twice.
  splitting: true,
  sourcemap: true,
  plugins: [shipSourcesOnce()],
  clean: true,
  target: "es2022",
  removeNodeProtocol: false,
} satisfies Options;

/**
 * The build for a page in production (docs/decisions/0008). Terser inlines constants and values
 * that are used once. An application's bundler does neither across the top level of a module that
 * it did not compile. Names and annotations stay, because the bundler needs the annotations to
 * remove unused code.
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
      // Our getters have no side effects, so unused values need not be read.
      pure_getters: true,
      // Functions are not inlined: copies compress worse, and bundlers remove less of them.
      inline: 1,
      reduce_funcs: false,
      sequences: false,
      // Debug logs are for developers. A page reads `status` and `onError` instead.
      pure_funcs: ["logger.debug", "parts.logger.debug"],
    },
    format: { beautify: true, preserve_annotations: true },
    sourceMap: true,
  },
} satisfies Options;

/**
 * The transformations of the sources for this build: modules of src/page stand in for the modules
 * of the same name. `source` is the path of src.
 */
export const pagePlugins = (source: string): NonNullable<Options["esbuildPlugins"]> => [
  standIns(source),
  arrowFunctions(source),
];
