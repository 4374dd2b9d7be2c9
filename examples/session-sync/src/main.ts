import { fileURLToPath } from "node:url";
import { startExample } from "./server.js";

/** What `npm start` runs: settings from the environment, one line for people, and an orderly end. */

const host = process.env["HOST"];
/** With it, this is one of several instances that serve the same sessions. */
const redisUrl = process.env["REDIS_URL"] || undefined;
/** Redis comes and goes; whoever runs the example wants to see that. */
const logger = {
  debug() {},
  info: (_details: unknown, text: string) => console.log(text),
  warn: (_details: unknown, text: string) => console.warn(text),
  error: (details: unknown, text: string) => console.error(text, details),
};
const example = await startExample({
  port: Number(process.env["PORT"] ?? 3000),
  ...(host !== undefined && { host }),
  ...(redisUrl !== undefined && { redisUrl, logger }),
  pageFolder: fileURLToPath(new URL("./page/", import.meta.url)),
}).catch((error: unknown) => {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  if (code !== "EADDRINUSE") throw error;
  console.error("The port is taken. Choose another one: PORT=3001 npm run demo:sync");
  process.exit(1);
});
console.log(`Session example: http://localhost:${example.port} (WebSocket at /ws)`);

let closing = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // Asked twice: at once.
    if (closing) process.exit(1);
    closing = true;
    void example.close().then(() => process.exit(0));
  });
}
