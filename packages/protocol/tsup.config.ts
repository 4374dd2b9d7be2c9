import { fileURLToPath } from "node:url";
import { defineConfig } from "tsup";
import { standIns } from "../../scripts/stand-ins.mjs";
import { base, page } from "../../tsup.base.js";

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
    ...page,
    esbuildPlugins: [standIns(fileURLToPath(new URL("src", import.meta.url)))],
  },
]);
