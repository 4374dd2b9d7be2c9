import { defineConfig } from "tsup";
import { base } from "../../tsup.base.js";

export default defineConfig({
  ...base,
  entry: { index: "src/index.ts", cli: "src/cli.ts" },
  platform: "node",
  // Both builds are shipped with maps and sources, so readable whitespace would only add bytes.
  esbuildOptions(options) {
    options.minifyWhitespace = true;
  },
});
