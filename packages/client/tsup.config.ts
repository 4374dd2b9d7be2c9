import { fileURLToPath } from "node:url";
import { defineConfig } from "tsup";
import { base } from "../../tsup.base.js";

export default defineConfig([
  {
    ...base,
    entry: { index: "src/index.ts" },
    platform: "neutral",
    tsconfig: "tsconfig.src.json",
    // Both builds run at once: this one must not sweep away what the other has written.
    clean: ["!page/**"],
  },
  {
    // What a page downloads in production. The module of src/page stands in for the one of the same name.
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
          const path = fileURLToPath(new URL("src/page/raw-socket.ts", import.meta.url));
          build.onResolve({ filter: /^\.\/raw-socket\.js$/ }, () => ({ path }));
        },
      },
    ],
  },
]);
