import { fileURLToPath } from "node:url";
import { defineConfig } from "tsup";
import { base } from "../../tsup.base.js";

export default defineConfig([
  {
    ...base,
    entry: { index: "src/index.ts" },
    platform: "neutral",
    tsconfig: "tsconfig.src.json",
    // All builds run at once: this one must not sweep away what the others have written.
    clean: ["!page/**", "!file.*"],
  },
  {
    // What only Node can do.
    ...base,
    entry: { file: "src/file.ts" },
    platform: "node",
    clean: false,
  },
  {
    // What a page downloads in production. The modules of src/page stand in for those of the same name.
    ...base,
    entry: { index: "src/index.ts" },
    outDir: "dist/page",
    dts: false,
    platform: "neutral",
    tsconfig: "tsconfig.src.json",
    esbuildPlugins: [
      {
        name: "page",
        setup(build) {
          build.onResolve({ filter: /^\.\/(raw-socket|check-options|freeze)\.js$/ }, ({ path }) => ({
            path: fileURLToPath(new URL(`src/page/${path.slice(2, -3)}.ts`, import.meta.url)),
          }));
        },
      },
    ],
  },
]);
