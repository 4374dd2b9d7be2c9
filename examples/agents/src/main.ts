import { fileURLToPath } from "node:url";
import { redisSettings, run } from "@holdfast/example-kit/run";
import { startExample, TOKEN } from "./server.js";

/** The program that `npm start` runs. */
await run({
  name: "Agents",
  more: `, token ${TOKEN}`,
  command: "npm run demo",
  start: (settings) =>
    startExample({
      ...settings,
      ...redisSettings(),
      pageFolder: fileURLToPath(new URL("./page/", import.meta.url)),
      cwd: process.cwd(),
      startAtBoot: ["primes", "watch-host"],
    }),
});
