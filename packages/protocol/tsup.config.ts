import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Options } from "tsup";
import { base, page, pagePlugins } from "../../tsup.base.js";

type Plugin = NonNullable<Options["esbuildPlugins"]>[number];

/**
 * The licences of bundled packages require their text in every copy, so this plugin writes the
 * texts next to the bundle.
 */
const notices: Plugin = {
  name: "notices",
  setup(build) {
    build.initialOptions.metafile = true;
    build.onEnd(({ metafile }) => {
      const folders = Object.keys(metafile?.inputs ?? {}).flatMap(
        (path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? [],
      );
      const texts = [...new Set(folders)].map((folder) => {
        const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as Record<string, string>;
        const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
        if (file === undefined) throw new Error(`${name} is bundled and has no file with its licence.`);
        return `${name} ${version}\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
      });
      // The build writes its own files later.
      mkdirSync(build.initialOptions.outdir!, { recursive: true });
      writeFileSync(`${build.initialOptions.outdir}/bundled-licences.txt`, texts.sort().join("\n----\n\n"));
    });
  },
};

/**
 * superjson is published only as ESM. Node can `require` that, but Jest and older bundlers for
 * CommonJS cannot. So the CommonJS build bundles superjson with its dependencies, and the ESM build
 * imports the package.
 */
const commonjs = {
  format: ["cjs"],
  noExternal: ["superjson"],
} satisfies Options;

const entry = {
  index: "src/index.ts",
  wire: "src/wire.ts",
  describe: "src/describe.ts",
  internal: "src/internal.ts",
};
/** The command line needs more of `internal` than a page does. */
const pageEntry = { index: "src/page/index.ts", internal: "src/page/internal.ts" };
const inPage = pagePlugins(fileURLToPath(new URL("src", import.meta.url)));

// All builds run at the same time. Each removes only its own files of the previous build.
const sweep = (...endings: string[]): string[] => ["!page/**", ...endings.map((ending) => `!**/*.${ending}`)];

export default defineConfig([
  {
    ...base,
    format: ["esm"],
    entry,
    dts: false,
    platform: "node",
    clean: sweep("cjs", "cjs.map", "d.ts", "d.cts", "txt"),
  },
  {
    ...base,
    ...commonjs,
    entry,
    dts: false,
    platform: "node",
    clean: sweep("js", "js.map", "d.ts", "d.cts"),
    esbuildPlugins: [notices],
  },
  {
    ...base,
    entry,
    dts: { ...base.dts, only: true },
    platform: "node",
    clean: sweep("js", "js.map", "cjs", "cjs.map", "txt"),
  },
  // The build that a page downloads in production.
  { ...page, entry: pageEntry, format: ["esm"], clean: ["!**/*.cjs", "!**/*.cjs.map"], esbuildPlugins: inPage },
  // The same build for bundlers and test runners that use CommonJS.
  { ...page, entry: pageEntry, ...commonjs, clean: ["!**/*.js", "!**/*.js.map"], esbuildPlugins: inPage },
]);
