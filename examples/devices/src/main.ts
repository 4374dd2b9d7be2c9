import { fileURLToPath } from "node:url";
import { startExample } from "./server.js";

/** What `npm start` runs: settings from the environment, one line for people, and an orderly end. */

const host = process.env["HOST"];
const example = await startExample({
  port: Number(process.env["PORT"] ?? 3000),
  ...(host !== undefined && { host }),
  pageFolder: fileURLToPath(new URL("./page/", import.meta.url)),
  dataFolder: process.env["DATA"] ?? fileURLToPath(new URL("../.data/", import.meta.url)),
}).catch((error: unknown) => {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  if (code !== "EADDRINUSE") throw error;
  console.error("The port is taken. Choose another one: PORT=3001 npm run demo:devices");
  process.exit(1);
});
console.log(`Devices example: http://localhost:${example.port} (WebSocket at /ws)`);

let closing = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // Asked twice: at once.
    if (closing) process.exit(1);
    closing = true;
    void example.close().then(() => process.exit(0));
  });
}
