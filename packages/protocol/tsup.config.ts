import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "tsup";
import { base } from "../../tsup.base.js";

const inPage = (name: string): string => fileURLToPath(new URL(`src/page/${name}.ts`, import.meta.url));

export default defineConfig([
  {
    ...base,
    entry: {
      index: "src/index.ts",
      wire: "src/wire.ts",
      describe: "src/describe.ts",
      "docs/index": "src/docs/index.ts",
      cli: "src/cli.ts",
    },
    platform: "node",
    // Both builds run at once: this one must not sweep away what the other has written.
    clean: ["!page/**"],
  },
  {
    // What a page downloads in production. A module of src/page stands in for the one of the same name.
    ...base,
    entry: { index: "src/index.ts" },
    outDir: "dist/page",
    dts: false,
    platform: "neutral",
    esbuildPlugins: [
      {
        name: "page",
        setup(build) {
          build.onResolve({ filter: /^\.\.?\/[a-z/-]+\.js$/ }, ({ path, importer }) => {
            const stand = inPage(path.replace(/^.*\/|\.js$/g, ""));
            return existsSync(stand) && dirname(importer) !== dirname(stand) ? { path: stand } : undefined;
          });
        },
      },
    ],
  },
]);
