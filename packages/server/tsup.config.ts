import { defineConfig } from "tsup";
import { base } from "../../tsup.base.js";

export default defineConfig({
  ...base,
  entry: { index: "src/index.ts", redis: "src/redis.ts", testing: "src/testing.ts" },
  platform: "node",
});
