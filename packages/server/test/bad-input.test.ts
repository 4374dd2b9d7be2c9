import { connect, type Socket } from "node:net";
import { closeCodes, HoldfastError } from "@holdfast/protocol";
import { wireMessages } from "@holdfast/protocol/wire";
import { createServer } from "@holdfast/server";
import { afterEach, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { agents, basicServer } from "./support/basic-server.js";
import { seededRandom } from "./support/seeded-random.js";

const seed = Number(process.env["HOLDFAST_SEED"] ?? Date.now() % 1_000_000);

/**
 * Messages for the protocol of the test server, so that mutations also reach handlers and channels.
 */
const agentMessages = [
  { type: "auth", data: { token: "t" } },
  {
    type: "subscribe",
    correlation_id: "1",
    data: { channels: ["updates", { channel: "log", position: { epoch: "e", offset: 1, id: "x" } }] },
  },
  { type: "unsubscribe", data: { channels: ["updates"] } },
  {
    type: "request",
    correlation_id: "2",
    data: { name: "agent.start", input: { id: "a", at: "2026-01-01T00:00:00.000Z" } },
    meta: { values: { at: ["Date"] } },
  },
  { type: "cancel", correlation_id: "2" },
];
/**
 * The examples of all messages that a client may send, from the table of messages. `mutate` starts
 * from these examples and from the messages above.
 */
const examples = wireMessages.filter(({ sentBy }) => sentBy === "client").map(({ example }) => example);
const valid = [...examples, ...agentMessages].map((message) => JSON.stringify(message));

const oddities = [
  "null",
  "true",
  "1e400",
  "-0",
  '""',
  "[]",
  "{}",
  "\\ud800",
  "\u0000",
  '"__proto__"',
  '"constructor"',
  "[".repeat(50),
  "{".repeat(50),
  '"'.repeat(7),
  "9".repeat(400),
  '{"values":{"a":[["typed-array","Uint8Array"]]}}',
  '{"values":["map"]}',
  "$all",
  "\ufeff",
  "'",
  "\\",
];

function mutate(random: () => number): string {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
  let text = pick(valid);
  for (let round = 1 + Math.floor(random() * 3); round > 0; round--) {
    const at = Math.floor(random() * text.length);
    const length = Math.floor(random() * 12);
    switch (Math.floor(random() * 6)) {
      case 0: // cut out
        text = text.slice(0, at) + text.slice(at + length);
        break;
      case 1: // put in
        text = text.slice(0, at) + pick(oddities) + text.slice(at);
        break;
      case 2: // replace a value
        text = text.replace(/("[^"]*"|\d+)(?=[,}\]])/g, (found) => (random() < 0.4 ? pick(oddities) : found));
        break;
      case 3: // flip a character
        text = text.slice(0, at) + String.fromCharCode(Math.floor(random() * 256)) + text.slice(at + 1);
        break;
      case 4: // cut off
        text = text.slice(0, at);
        break;
      case 5: // glue together
        text += pick(valid);
    }
  }
  return text;
}

const uncaught: unknown[] = [];
const note = (error: unknown): void => void uncaught.push(error);
process.on("uncaughtException", note);
process.on("unhandledRejection", note);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe(`[IN1] no input from a peer ends the process (seed ${seed})`, () => {
  test("20,000 mutated messages close connections only with known codes, cause no INTERNAL error, and leave another connection working", async () => {
    const random = seededRandom(seed);
    const error = vi.fn();
    const { server, harness } = basicServer({ logger: { debug() {}, info() {}, warn() {}, error } });
    server.handle("agent.start", () => ({ startedAt: new Date() }));
    const healthy = await harness.connect();
    await healthy.send({ type: "subscribe", data: { channels: ["updates"] } });
    const known = new Set<number>([1006, ...closeCodes.map((row) => row.code)]);

    const strange: number[] = [];
    let peer = await harness.connect();
    for (let index = 0; index < 20_000; index++) {
      if (peer.closed) {
        if (!known.has(peer.closed.code)) strange.push(peer.closed.code);
        peer = await harness.connect();
      }
      peer.socket.send(random() < 0.02 ? new Uint8Array(Buffer.from(mutate(random))) : mutate(random));
      if (index % 20 === 0) await harness.settle();
      if (index % 1_000 === 0) await healthy.send({ type: "ping", correlation_id: String(index) });
    }
    await harness.settle();
    expect(strange).toEqual([]);
    const codes = Object.keys(server.stats().errors);
    expect(codes).toContain("BAD_MESSAGE");
    expect(codes).not.toContain("INTERNAL");
    expect(error.mock.calls).toEqual([]);
    expect(healthy.of("pong")).toHaveLength(20);
    await server.channel("updates").publish("changed", { id: "still here" });
    await harness.settle();
    expect(healthy.last("event").data).toEqual({ id: "still here" });
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(uncaught).toEqual([]);
  }, 60_000);

  test("2,000 mutated WebSocket frames on raw sockets leave another connection working, and all raw sockets are released", async () => {
    const random = seededRandom(seed + 1);
    const server = createServer(agents);
    cleanups.push(() => server.close());
    const { port, url } = await server.listen(0, { host: "127.0.0.1" });
    const healthy = new WebSocket(url);
    cleanups.push(() => healthy.terminate());
    const pongs: string[] = [];
    healthy.on("message", (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { type: string; correlation_id?: string };
      if (message.type === "pong") pongs.push(message.correlation_id ?? "");
    });
    await new Promise((resolve) => healthy.once("open", resolve));

    let socket: Socket | undefined;
    for (let index = 0; index < 2_000; index++) {
      if (!socket || socket.destroyed) {
        socket = await upgraded(port);
        cleanups.push(() => socket?.destroy());
      }
      socket.write(mutateFrame(random));
      if (index % 10 === 9) {
        socket.destroy();
        socket = undefined;
      }
      if (index % 100 === 0) healthy.send(JSON.stringify({ type: "ping", correlation_id: String(index) }));
    }
    await vi.waitFor(() => expect(pongs).toHaveLength(20), { timeout: 5_000 });
    socket?.destroy();
    await vi.waitFor(() => expect(server.stats().connections.active).toBe(1), { timeout: 5_000 });
    expect(uncaught).toEqual([]);
  }, 60_000);

  test("after 1,000 mutated upgrade requests, the server still accepts a valid request", async () => {
    const random = seededRandom(seed + 2);
    const server = createServer(agents, {
      credentials: { queryToken: true, cookie: "sid" },
      authenticate: ({ token }) => ({ userId: token }),
    });
    cleanups.push(() => server.close());
    const { port, url } = await server.listen(0, { host: "127.0.0.1" });
    for (let index = 0; index < 1_000; index++) {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      await new Promise((resolve) => socket.once("connect", resolve));
      socket.end(mutateUpgrade(random));
    }
    const ws = new WebSocket(`${url}?token=u1`);
    cleanups.push(() => ws.terminate());
    const first = await new Promise<string>((resolve, reject) =>
      ws.once("message", (data: Buffer) => resolve(data.toString())).once("error", reject),
    );
    expect(JSON.parse(first)).toMatchObject({ type: "connected", data: { user_id: "u1" } });
    expect(uncaught).toEqual([]);
  }, 60_000);
});

test("[IN2] if a handler throws, the client receives INTERNAL without the message, the stack and the cause of the error", async () => {
  const { server, harness } = basicServer();
  server.handle("agent.ping", () => {
    throw new HoldfastError("FORBIDDEN", "secret of the application", { cause: new Error("deeper secret") });
  });
  const peer = await harness.connect();
  await peer.send({ type: "request", correlation_id: "1", data: { name: "agent.ping" } });
  const text = JSON.stringify(peer.received);
  expect(text).not.toMatch(/secret|stack|\.ts:/);
  expect(peer.last("response").data).toMatchObject({ ok: false, error: { code: "INTERNAL" } });
});

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

async function upgraded(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(
    `GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once("data", resolve));
  return socket;
}

function mutateFrame(random: () => number): Buffer {
  const payload = Buffer.from(mutate(random)).subarray(0, 120);
  const mask = Buffer.from([1, 2, 3, 4]);
  const frame = Buffer.concat([
    Buffer.from([0x81, 0x80 | payload.length]),
    mask,
    payload.map((byte, index) => byte ^ mask[index % 4]!),
  ]);
  if (random() < 0.7) frame[0] = Math.floor(random() * 256);
  if (random() < 0.3) frame[1] = Math.floor(random() * 256);
  if (random() < 0.2) frame[Math.floor(random() * frame.length)]! ^= 1 << Math.floor(random() * 8);
  return random() < 0.2 ? frame.subarray(0, Math.floor(random() * frame.length)) : frame;
}

function mutateUpgrade(random: () => number): string {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
  const lines = [
    `GET ${pick(["/ws", "/ws?token=%zz", "/ws?sid", "//", "*", "/ws?token=u&token=v", `/ws?${"a".repeat(3_000)}`, "/%00", "http://evil/ws"])} HTTP/1.1`,
    "Host: a",
    `Upgrade: ${pick(["websocket", "WebSocket", "h2c", ""])}`,
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${pick([KEY, KEY, "short", ""])}`,
    `Sec-WebSocket-Version: ${pick(["13", "13", "8", "99", "x"])}`,
    pick([
      "",
      `Sec-WebSocket-Protocol: ${pick(["holdfast.v1.json", ",,,", "a b", "holdfast.v1.json, holdfast.v1.json"])}`,
    ]),
    pick(["", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99"]),
    pick(["", `Authorization: ${pick(["Bearer", "Bearer ", "Bearer a b", "Basic x", `Bearer ${"x".repeat(5_000)}`])}`]),
    pick([
      "",
      `Cookie: ${pick(["sid", "sid=", "=;=;;", "sid=%E0%A4%A; __proto__=1; constructor=2", `sid=${"y".repeat(4_000)}`])}`,
    ]),
    pick(["", `Origin: ${pick(["null", "http://a", "http://a.evil", "x"])}`]),
  ].filter((line) => line !== "" && random() > 0.05);
  return `${lines.join("\r\n")}\r\n\r\n${random() < 0.2 ? mutate(random) : ""}`;
}
