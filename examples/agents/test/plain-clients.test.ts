import { once } from "node:events";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { expectItWorks } from "./foreign-client.js";
import { start } from "./start-example.js";

test("[EX30] The plain JavaScript client receives the events of agent-updates and answers pings.", async () => {
  await expectItWorks("plain.js", process.execPath, [
    "--import",
    new URL("websocket-global.mjs", import.meta.url).href,
  ]);
}, 30_000);

test("[EX30] A client that leaves pings unanswered is closed with 4408, so the clients above did answer.", async () => {
  const example = await start({ heartbeat: { intervalMs: 300, timeoutMs: 300 } });
  const socket = new WebSocket(`ws://localhost:${example.port}/ws?token=abc123`);
  const [code] = await once(socket, "close");
  expect(code).toBe(4408);
});
