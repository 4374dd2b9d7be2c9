import { defineConfig } from "tsup";
import { base } from "../../tsup.base.js";

export default defineConfig({
  ...base,
  entry: { index: "src/index.ts", describe: "src/describe.ts", "docs/index": "src/docs/index.ts", cli: "src/cli.ts" },
  platform: "node",
});
