import { defineProtocol } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import * as z from "zod/mini";
import { test, expect } from "vitest";
import { createClient } from "@holdfast/client";

const agents = defineProtocol({
  name: "agents",
  version: "1.0.0",
  requests: {
    "agent.start": { input: z.object({ program: z.string() }), output: z.object({ id: z.string(), at: z.date() }) },
    slow: { kind: "query" },
  },
  channels: {
    "agent-updates": {
      events: { statusChanged: z.object({ agentId: z.string() }) },
      history: { size: 10, ttlMs: 10_000 },
    },
    board: { key: z.string(), events: { moved: z.object({ n: z.bigint() }) } },
  },
});

test("smoke", async () => {
  const server = createServer(agents, {
    authenticate: ({ token }) => {
      if (token !== "tok") throw new Error("no");
      return { userId: "u1" };
    },
    authorize: ({ key }) => key !== "secret",
  });
  server.handle("agent.start", () => ({ id: "7", at: new Date(5) }));
  server.handle(
    "slow",
    async ({ signal }) => new Promise((_r, reject) => signal.addEventListener("abort", () => reject(new Error("x")))),
  );
  const listening = await server.listen(0);
  const client = createClient(agents, { url: listening.url, token: () => "tok" });
  const seen: unknown[] = [];
  client.status.subscribe((s) => seen.push(s));
  client.onError((e) => seen.push(e));
  const ch = client.channel("agent-updates");
  ch.on("statusChanged", (e) => seen.push(e));
  ch.onReset((r) => seen.push(r));
  const board = client.channel("board", "b1");
  board.on("moved", (e) => seen.push(e));
  await expect(client.channel("board", "secret").ready()).rejects.toMatchObject({ code: "FORBIDDEN" });
  expect(await client.request("agent.start", { program: "x" })).toEqual({ id: "7", at: new Date(5) });
  await board.ready();
  await server.channel("board", "b1").publish("moved", { n: 5n });
  await server.channel("agent-updates").publish("statusChanged", { agentId: "a" });
  await expect(client.request("slow", { timeoutMs: 50 })).rejects.toMatchObject({ code: "TIMEOUT" });
  console.dir(seen, { depth: 5 });
  client.disconnect();
  await server.close();
});
