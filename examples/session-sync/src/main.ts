import { fileURLToPath } from "node:url";
import { redisSettings, run } from "@holdfast/example-kit/run";
import { startExample } from "./server.js";

/** The program that `npm start` runs. */
await run({
  name: "Session",
  command: "npm run demo:sync",
  start: (settings) =>
    startExample({
      ...settings,
      ...redisSettings(),
      pageFolder: fileURLToPath(new URL("./page/", import.meta.url)),
    }),
});
