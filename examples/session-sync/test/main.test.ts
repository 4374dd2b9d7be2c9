import { randomUUID } from "node:crypto";
import { beforeAll, expect, test, vi } from "vitest";
import { build, end, runMain } from "./run-main.js";
import { design, soon, watch } from "./watcher.js";

beforeAll(build);

test("[SX13] the server prints its address on one line, and if the port is taken, exits with 1 and one line that names another port", async () => {
  const server = await runMain();
  expect(server.output()).toBe(`Session example: http://localhost:${server.port} (WebSocket at /ws)\n`);
  await expect(runMain({ port: server.port })).rejects.toThrow(/ended with 1:\n.*PORT=3001 npm run demo:sync\n$/);
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "[SX13] %s closes every connection with 1001, so that clients reconnect, and the server exits with 0",
  async (signal) => {
    const server = await runMain();
    const { client } = await watch(server.port, randomUUID());
    await client.request("session.create", design);
    expect(await end(server, signal)).toBe(0);
    await vi.waitFor(
      () => expect(client.status.get()).toMatchObject({ name: "waiting", reason: { code: 1001 } }),
      soon,
    );
  },
  20_000,
);
