import { once } from "node:events";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { observe } from "./plain-client.js";
import { start } from "./start-example.js";

test("[EX30] the plain JavaScript client receives the events of agent-updates and answers pings.", async () => {
  const global = new URL("websocket-global.mjs", import.meta.url).href;
  const { output, agentId, stats, ended } = await observe("plain.js", process.execPath, ["--import", global]);
  expect(output).toContain(`agentId: '${agentId}'`);
  expect(output).toContain("cores [");
  expect(stats.connections).toMatchObject({ active: 1, total: 1, failed: 0 });
  // The server refused no message of the client.
  expect(stats.errors).toEqual({});
  expect(ended).toBe(false);
}, 30_000);

test("[EX30] a client that does not answer pings is closed with 4408, so the clients above did answer", async () => {
  const example = await start({ heartbeat: { intervalMs: 300, timeoutMs: 300 } });
  const socket = new WebSocket(`ws://localhost:${example.port}/ws?token=abc123`);
  const [code] = await once(socket, "close");
  expect(code).toBe(4408);
});
