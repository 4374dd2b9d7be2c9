import { defineProtocol } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import { afterEach, expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import * as z from "zod";
import { createClient, presenceOf } from "../src/index.js";

/**
 * Servers with other limits than the client expects, over real sockets, where `ws` closes the
 * connection with 1009.
 */
const agents = defineProtocol({
  name: "agents",
  version: "1.0.0",
  requests: { find: { kind: "query", input: z.string(), output: z.number() } },
  channels: {
    output: { key: z.string(), events: { line: z.string() }, history: { size: 50, ttlMs: 300_000 } },
    room: { key: z.string(), events: {}, presence: z.object({ name: z.string() }) },
  },
});

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(messageBytes: number, { port = 0, subscriptions = 500 } = {}) {
  const server = createServer(agents, {
    limits: { messageBytes, subscriptions },
    authenticate: () => ({ userId: "u1" }),
    authorize: () => new Promise((resolve) => setTimeout(resolve, 5, true)),
  });
  server.handle("find", ({ input }) => input.length);
  const listening = await server.listen(port, { host: "127.0.0.1" });
  cleanups.push(() => server.close());
  return { server, ...listening };
}

function connect(url: string, token = "t") {
  const client = createClient(agents, { url, token, retry: { minMs: 20, maxMs: 50 } });
  const seen: string[] = [];
  client.status.subscribe((status) =>
    seen.push(status.name === "waiting" ? `waiting ${status.reason.code}` : status.name),
  );
  cleanups.push(() => client.disconnect());
  return {
    client,
    seen,
    is: (name: string) => vi.waitUntil(() => client.status.get().name === name, { timeout: 10_000 }),
  };
}

const everyone = (client: ReturnType<typeof connect>["client"], count: number, pad: string) =>
  Promise.all(
    Array.from({ length: count }, (_, index) => {
      const channel = client.channel("output", `${pad}${index}`);
      channel.on("line", () => undefined);
      return channel.join();
    }),
  );

test.each([1_024, 8_192])(
  "[CH23] with %d bytes per message a client with 300 channels joins and resumes without being closed",
  async (messageBytes) => {
    const { server, url } = await serve(messageBytes);
    const { client, seen, is } = connect(url);
    const pad = '"'.repeat(20);
    await everyone(client, 300, pad);
    for (let index = 0; index < 300; index += 10)
      await server.channel("output", `${pad}${index}`).publish("line", "hello");
    seen.length = 0;
    server.sessions()[0]!.disconnect({ code: 4800, reason: "a drop" });
    await vi.waitUntil(() => seen.length > 0);
    await is("ready");
    await everyone(client, 300, pad);
    expect(seen).toEqual(["waiting 4800", "connecting", "authenticating", "ready"]);
  },
);

test("[CN25] much more than 64 KiB behind auth does not close the connection", async () => {
  const { server, url } = await serve(65_536, { subscriptions: 1_000 });
  const { client, seen, is } = connect(url);
  const pad = "x".repeat(230);
  for (let index = 0; index < 20; index++)
    presenceOf(client.channel("room", `${index}`)).set({ name: "a".repeat(900) });
  await everyone(client, 600, pad);
  seen.length = 0;
  server.sessions()[0]!.disconnect({ code: 4800, reason: "a drop" });
  await vi.waitUntil(() => seen.length > 0);
  await is("ready");
  await everyone(client, 600, pad);
  expect(seen).toEqual(["waiting 4800", "connecting", "authenticating", "ready"]);
}, 20_000);

test("[RC24] a server that is deployed again with a lower limit closes at most once with 1009, and then every channel is joined", async () => {
  const first = await serve(65_536);
  const { client, seen, is } = connect(first.url);
  const pad = "x".repeat(200);
  await everyone(client, 200, pad);
  const reset = vi.fn();
  client.channel("output", `${pad}0`).onReset(reset);
  await first.server.close();
  await is("waiting");
  await serve(2_048, { port: first.port });
  await is("ready");
  await everyone(client, 200, pad);
  expect(seen.filter((each) => each === "waiting 1009").length).toBeLessThanOrEqual(1);
  await expect(client.request("find", "x".repeat(3_000))).rejects.toMatchObject({
    code: "LIMIT_EXCEEDED",
    field: "input",
  });
  expect(await client.request("find", "x")).toBe(1);
});

test("[RQ21] a query that is larger than a proxy accepts is sent once", async () => {
  const { url } = await serve(65_536);
  // A proxy that accepts 16 KiB and forwards the server's greeting, which announces 64 KiB.
  const { WebSocket } = await import("ws");
  const proxy = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    maxPayload: 16_384,
    handleProtocols: ([name]) => name!,
  });
  let connections = 0;
  proxy.on("connection", (near) => {
    connections++;
    const far = new WebSocket(url, near.protocol);
    const waiting: string[] = [];
    near.on("message", (data: Buffer) => (far.readyState === 1 ? far.send(String(data)) : waiting.push(String(data))));
    near.on("error", () => undefined);
    near.on("close", () => far.close());
    far.on("open", () => waiting.forEach((each) => far.send(each)));
    far.on("message", (data: Buffer) => near.send(String(data)));
    far.on("close", () => near.close());
  });
  cleanups.push(() => {
    for (const socket of proxy.clients) socket.terminate();
    proxy.close();
  });
  await vi.waitUntil(() => proxy.address() !== null);
  const { client, seen, is } = connect(`ws://127.0.0.1:${(proxy.address() as { port: number }).port}`);
  await is("ready");
  await expect(client.request("find", "x".repeat(30_000))).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
  await is("ready");
  expect(await client.request("find", "x".repeat(10_000))).toBe(10_000);
  expect(seen.filter((each) => each.startsWith("waiting"))).toEqual(["waiting 1009"]);
  expect(connections).toBe(2);
});

test("[RC25] a token larger than the server accepts ends with a reason instead of endless attempts", async () => {
  const { url } = await serve(4_096);
  const { client, seen, is } = connect(url, "é".repeat(4_000));
  await is("closed");
  expect(client.status.get()).toMatchObject({
    reason: { name: "TOO_BIG", error: { code: "LIMIT_EXCEEDED", field: "token" } },
  });
  expect(seen.filter((each) => each === "waiting 1009")).toHaveLength(1);
});
