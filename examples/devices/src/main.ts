import { fileURLToPath } from "node:url";
import { run } from "@holdfast/example-kit/run";
import { startExample } from "./server.js";

/** The program that `npm start` runs. */
await run({
  name: "Devices",
  command: "npm run demo:devices",
  start: (settings) =>
    startExample({
      ...settings,
      pageFolder: fileURLToPath(new URL("./page/", import.meta.url)),
      dataFolder: process.env["DATA"] ?? fileURLToPath(new URL("../.data/", import.meta.url)),
    }),
});
