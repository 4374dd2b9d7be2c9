import { defineProtocol, type HoldfastError } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import { afterEach, expect, test, vi } from "vitest";
import * as z from "zod";
import { createClient } from "../src/index.js";

/**
 * The client against the real server, over real sockets. The tests beside the sources cover each
 * side separately.
 */
const agents = defineProtocol({
  name: "agents",
  version: "1.0.0",
  parameters: z.object({ page: z.coerce.number().optional() }),
  requests: {
    "agent.start": {
      input: z.object({ program: z.string(), at: z.date() }),
      output: z.object({ started: z.map(z.string(), z.date()) }),
      errors: { UNKNOWN_PROGRAM: z.object({ known: z.set(z.string()) }) },
    },
    "agent.wait": {},
    "agents.list": { kind: "query", output: z.array(z.string()) },
  },
  channels: {
    board: { key: z.string(), events: { moved: z.object({ by: z.bigint() }) } },
    journal: { events: { written: z.number() }, history: { size: 8, ttlMs: 60_000 } },
  },
  direct: { announced: z.string() },
});

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(port = 0) {
  const tokens: string[] = [];
  const server = createServer(agents, {
    authenticate({ token }) {
      tokens.push(token);
      if (!token.startsWith("good")) throw new Error("not good");
      return { userId: "u1" };
    },
    authorize: ({ key }) => key !== "secret",
  });
  server.handle("agents.list", () => ["a1"]);
  server.handle("agent.start", ({ input, error }) => {
    if (input.program === "none") throw error("UNKNOWN_PROGRAM", { known: new Set(["primes"]) });
    return { started: new Map([[input.program, input.at]]) };
  });
  const aborted = vi.fn();
  server.handle(
    "agent.wait",
    ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(aborted()))),
  );
  const listening = await server.listen(port, { host: "127.0.0.1" });
  cleanups.push(() => server.close());
  return { server, tokens, aborted, url: listening.url, port: listening.port };
}

function connect(url: string, token: () => string = () => "good") {
  const client = createClient(agents, { url, token, parameters: { page: 1 }, retry: { minMs: 5, maxMs: 20 } });
  const errors: HoldfastError[] = [];
  client.onError((error) => errors.push(error));
  cleanups.push(() => client.disconnect());
  return { client, errors };
}

const becomes = (client: ReturnType<typeof connect>["client"], name: string) =>
  vi.waitUntil(() => client.status.get().name === name, { timeout: 5_000 });

test("requests carry rich values both ways, and declared errors carry their data", async () => {
  const { url } = await serve();
  const { client } = connect(url);
  const at = new Date(5);
  expect(await client.request("agent.start", { program: "primes", at })).toEqual({
    started: new Map([["primes", at]]),
  });
  await expect(client.request("agent.start", { program: "none", at })).rejects.toMatchObject({
    code: "UNKNOWN_PROGRAM",
    data: { known: new Set(["primes"]) },
  });
});

test("[RQ6] when a request times out, the server aborts the request's handler", async () => {
  const { url, aborted } = await serve();
  const { client } = connect(url);
  await expect(client.request("agent.wait", undefined, { timeoutMs: 50 })).rejects.toMatchObject({ code: "TIMEOUT" });
  await vi.waitUntil(() => aborted.mock.calls.length === 1);
});

test("channels deliver publications per key, a refused channel has its reason, and direct events need no channel", async () => {
  const { server, url } = await serve();
  const { client, errors } = connect(url);
  const heard: unknown[] = [];
  const board = client.channel("board", "b1");
  board.on("moved", ({ by }) => heard.push(by));
  client.direct.on("announced", (text) => heard.push(text));
  await board.join();
  await expect(client.channel("board", "secret").join()).rejects.toMatchObject({ code: "FORBIDDEN" });
  expect(await server.channel("board", "b1").publish("moved", { by: 5n })).toMatchObject({ delivered: 1 });
  expect(await server.channel("board", "b2").publish("moved", { by: 6n })).toMatchObject({ delivered: 0 });
  await server.broadcast("announced", "hello");
  await vi.waitUntil(() => heard.length === 2);
  expect(heard).toEqual([5n, "hello"]);
  board.leave();
  await vi.waitUntil(() => server.channel("board", "b1").subscribers === 0);
  expect(errors).toEqual([]);
});

test("[CH10] after a restart of the server the client reconnects: channels are joined, a channel with history receives a reset, queries are answered", async () => {
  const first = await serve();
  const { client, errors } = connect(first.url);
  const heard: unknown[] = [];
  const journal = client.channel("journal");
  journal.on("written", (line) => heard.push(line));
  journal.onReset(({ reason }) => heard.push(reason));
  await journal.join();
  await first.server.channel("journal").publish("written", 1);
  await vi.waitUntil(() => heard.length === 1);
  await first.server.close();
  await becomes(client, "waiting");
  const asked = client.request("agents.list");
  const second = await serve(first.port);
  expect(await asked).toEqual(["a1"]);
  await journal.join();
  await second.server.channel("journal").publish("written", 2);
  await vi.waitUntil(() => heard.length === 3);
  expect(heard).toEqual([1, "epoch", 2]);
  expect(errors).toEqual([]);
});

test("[CH26] a handler receives the id that `publish` returned, and missed events are replayed", async () => {
  const { server, url } = await serve();
  const { client, errors } = connect(url);
  const heard: unknown[] = [];
  const journal = client.channel("journal");
  journal.on("*", ({ event, data }, info) => heard.push([event, data, info]));
  await journal.join();
  const { id: first } = await server.channel("journal").publish("written", 1);
  await vi.waitUntil(() => heard.length === 1);
  client.disconnect();
  await vi.waitUntil(() => server.channel("journal").subscribers === 0);
  const { id: second } = await server.channel("journal").publish("written", 2);
  client.connect();
  await journal.join();
  const { id: third } = await server.channel("journal").publish("written", 3);
  await vi.waitUntil(() => heard.length === 3);
  expect(heard).toEqual([
    ["written", 1, { id: first, replayed: false }],
    ["written", 2, { id: second, replayed: true }],
    ["written", 3, { id: third, replayed: false }],
  ]);
  expect(first).toEqual(expect.any(String));
  expect(errors).toEqual([]);
});

test("[RC7] a refused token is renewed, and the next token is accepted", async () => {
  const { url, tokens } = await serve();
  let calls = 0;
  const { client } = connect(url, () => (++calls === 1 ? "stale" : "good"));
  await becomes(client, "ready");
  expect(tokens).toEqual(["stale", "good"]);
});

test("[CN12] if the server refuses a parameter, the client stops and the reason names the parameter", async () => {
  const { url } = await serve();
  const older = defineProtocol({ ...agents.definition, parameters: z.object({ page: z.string() }) });
  const client = createClient(older, { url, token: "good", parameters: { page: "one" } });
  cleanups.push(() => client.disconnect());
  await vi.waitUntil(() => client.status.get().name === "closed");
  expect(client.status.get()).toMatchObject({ reason: { name: "POLICY", message: expect.stringContaining("page") } });
});
