import type { Identity } from "@holdfast/server";
import { describe, expect, test, vi } from "vitest";
import { authenticate, basicServer } from "./support/basic-server.js";

const subscribe = { type: "subscribe", data: { channels: ["updates"] } };

describe("the heartbeat", () => {
  test("[PI1] a quiet connection receives a ping message at least every 30 s", async () => {
    const { harness } = basicServer();
    const peer = await harness.connect();
    await harness.advance(30_000);
    expect(peer.of("ping")).toEqual([{ type: "ping" }]);
    await peer.send({ type: "pong" });
    await harness.advance(30_000);
    expect(peer.of("ping")).toHaveLength(2);
  });

  test("[PI2] a connection that sends nothing for 10 s after a ping is closed with 4408", async () => {
    const { harness, server } = basicServer();
    const peer = await harness.connect();
    await harness.advance(29_000);
    expect(peer.of("ping")).toHaveLength(1);
    await harness.advance(9_000);
    expect(peer.closed).toBeUndefined();
    await harness.advance(1_000);
    expect(peer.closed?.code).toBe(4408);
    expect(server.stats().connections.active).toBe(0);
  });

  test("[PI3] any frame counts as a sign of life, not only pong", async () => {
    const { harness } = basicServer();
    const peer = await harness.connect();
    await harness.advance(30_000);
    await peer.send({ type: "list_subscriptions" });
    await harness.advance(15_000);
    expect(peer.closed).toBeUndefined();
  });

  test("[PI4] a connection that sends messages receives no ping", async () => {
    const { harness } = basicServer();
    const peer = await harness.connect();
    for (let round = 0; round < 12; round++) {
      await harness.advance(10_000);
      await peer.send({ type: "list_subscriptions" });
    }
    expect(peer.of("ping")).toEqual([]);
  });

  test("[PI5] a ping of a client is answered at once with pong and the same correlation id", async () => {
    const { harness } = basicServer();
    const peer = await harness.connect();
    await peer.send({ type: "ping", correlation_id: "probe" });
    expect(peer.last("pong")).toEqual({ type: "pong", correlation_id: "probe" });
  });

  test("[PI6] a thousand connections need one timer, and a server without connections needs no timer", async () => {
    const { harness, environment } = basicServer();
    const peers = await Promise.all(Array.from({ length: 1_000 }, () => harness.connect()));
    expect(environment.timers).toBe(1);
    for (const peer of peers) peer.socket.drop();
    expect(environment.timers).toBe(0);
  });
});

describe("limits", () => {
  test("[LM1] a connection above the limit is closed with 1013 and a retry delay", async () => {
    const { harness, server } = basicServer({ limits: { connections: 1 } });
    await harness.connect();
    const second = await harness.connect();
    expect(second.closed).toEqual({ code: 1013, reason: '{"retryAfterMs":5000}' });
    expect(server.stats().connections).toEqual({ active: 1, peak: 1, total: 1, failed: 1 });
  });

  test("[LM1] the limit also holds for connections whose credentials are checked at the same time", async () => {
    const decide: (() => void)[] = [];
    const { harness, server } = basicServer({
      limits: { connections: 1 },
      authenticate: () => new Promise<{ userId: string }>((resolve) => decide.push(() => resolve({ userId: "u1" }))),
    });
    const both = [1, 2].map(() => harness.connect({ headers: { authorization: "Bearer t" } }));
    await harness.settle();
    for (const answer of decide) answer();
    const [one, two] = await Promise.all(both);
    expect([one!.closed, two!.closed]).toEqual([undefined, { code: 1013, reason: '{"retryAfterMs":5000}' }]);
    expect(server.stats().connections.active).toBe(1);
  });

  test("[LM2] a connection that reads too slowly is closed with 4413, and the others receive every event", async () => {
    const { harness, server } = basicServer({ limits: { owedBytes: 10_000 } });
    const [slow, quick] = [await harness.connect(), await harness.connect()];
    await slow.send(subscribe);
    await quick.send(subscribe);
    slow.socket.stall(true);
    for (let index = 0; index < 20; index++) {
      await server.channel("updates").publish("changed", { id: "x".repeat(1_000) });
      await harness.settle();
    }
    expect(server.channel("updates").subscribers).toBe(1);
    expect(quick.of("event")).toHaveLength(20);
    slow.socket.stall(false);
    await harness.settle();
    expect(slow.closed?.code).toBe(4413);
  });

  test("[LM3] three invalid messages within a minute close the connection with 4400, three over a longer time do not", async () => {
    const { harness } = basicServer();
    const peer = await harness.connect();
    await peer.send("{", "[]");
    await harness.advance(25_000);
    await peer.send({ type: "pong" });
    await harness.advance(36_000);
    await peer.send("nonsense");
    expect(peer.closed).toBeUndefined();
    expect(peer.of("error")).toHaveLength(3);
    await peer.send("{", "{");
    expect(peer.closed?.code).toBe(4400);
  });

  test.each([
    ["not JSON", "{", undefined],
    ["an unknown type", { type: "explode" }, "type"],
    ["no type", {}, "type"],
    ["a wrong field", { type: "subscribe", data: { channels: "updates" } }, "data.channels"],
    ["a binary frame", new Uint8Array([1, 2, 3]), undefined],
    ["deep nesting", `{"type":"ping","metadata":${'{"a":'.repeat(40)}1${"}".repeat(40)}}`, undefined],
    ["a hidden __proto__", '{"type":"ping","\\u005f_proto__":{"polluted":1}}', undefined],
  ])("[LM4] %s is answered with BAD_MESSAGE, the field and a remedy", async (_, frame, field) => {
    const { harness } = basicServer();
    const peer = await harness.connect();
    await peer.send(frame);
    const { data } = peer.last("error");
    expect(data).toMatchObject({ code: "BAD_MESSAGE", remedy: expect.any(String) });
    expect(data.field).toBe(field);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("server.close", () => {
  test("[CL1] closes every connection with 1001, refuses new connections and leaves no timer", async () => {
    const { harness, server, environment } = basicServer({ authenticate });
    const peer = await harness.connect({ headers: { authorization: "Bearer token-u1" } });
    const handshaking = await harness.connect();
    const closing = server.close();
    await harness.advance(100);
    await closing;
    expect(peer.closed?.code).toBe(1001);
    expect(handshaking.closed?.code).toBe(1001);
    expect(await harness.refused({})).toBe(503);
    expect(environment.timers).toBe(0);
    expect(server.stats().connections.active).toBe(0);
  });

  test("[CL1] closes a connection whose credential is being checked at the time of the call", async () => {
    let decide: (() => void) | undefined;
    const { harness, server, environment } = basicServer({
      authenticate: () => new Promise<{ userId: string }>((resolve) => (decide = () => resolve({ userId: "u1" }))),
    });
    const connecting = harness.connect({ headers: { authorization: "Bearer t" } });
    await harness.settle();
    await server.close();
    decide!();
    expect((await connecting).closed?.code).toBe(1001);
    expect(server.sessions()).toEqual([]);
    expect(environment.timers).toBe(0);
  });

  test("[CL2] lets running requests finish and refuses new requests with UNAVAILABLE", async () => {
    const { harness, server } = basicServer();
    let finish: ((text: string) => void) | undefined;
    server.handle("agent.slow", () => new Promise((resolve) => (finish = resolve)));
    const peer = await harness.connect();
    await peer.send({ type: "request", correlation_id: "1", data: { name: "agent.slow" } });
    const closing = server.close();
    await harness.advance(1_000);
    await peer.send({ type: "request", correlation_id: "2", data: { name: "agent.slow" } });
    expect(peer.last("response")).toMatchObject({
      correlation_id: "2",
      data: { ok: false, error: { code: "UNAVAILABLE" } },
    });
    finish!("done");
    await harness.advance(100);
    await closing;
    expect(peer.last("response")).toMatchObject({ correlation_id: "1", data: { ok: true, output: "done" } });
    expect(peer.closed?.code).toBe(1001);
  });

  test("[CL3] waits for a running request no longer than graceMs", async () => {
    const { harness, server } = basicServer();
    server.handle("agent.slow", () => new Promise(() => {}));
    const peer = await harness.connect();
    await peer.send({ type: "request", correlation_id: "1", data: { name: "agent.slow" } });
    const closing = server.close({ graceMs: 500 });
    await harness.advance(600);
    await closing;
    expect(peer.closed?.code).toBe(1001);
  });

  test("[CL6] does not wait for a pending authenticate if no request is running, and leaves no timer", async () => {
    const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const { harness, server, environment } = basicServer({
      logger,
      authTimeoutMs: 60_000,
      authenticate: () => new Promise<{ userId: string }>(() => {}),
    });
    const upgrading = harness.connect({ headers: { authorization: "Bearer t" } });
    const peer = await harness.connect();
    await peer.send({ type: "auth", data: { token: "t" } });
    const closing = server.close();
    await harness.advance(100);
    await closing;
    expect((await upgrading).closed?.code).toBe(1001);
    expect(peer.closed?.code).toBe(1001);
    // If the credential were refused, the client would not reconnect.
    expect(peer.received).toEqual([]);
    expect([...logger.info.mock.calls, ...logger.error.mock.calls]).toEqual([]);
    expect(environment.timers).toBe(0);
  });

  test("[CL6] does not wait for a pending refresh of an open connection", async () => {
    const { harness, server, environment } = basicServer({
      authenticate: ({ token }) => (token === "first" ? { userId: "u1" } : new Promise<Identity>(() => {})),
    });
    const peer = await harness.connect({ headers: { authorization: "Bearer first" } });
    await peer.send({ type: "auth", data: { token: "second" } });
    const closing = server.close();
    await harness.advance(100);
    await closing;
    expect(peer.closed?.code).toBe(1001);
    expect(peer.of("auth_response")).toEqual([]);
    expect(environment.timers).toBe(0);
  });

  test.each([
    [Number.NaN, 5_000],
    ["soon", 5_000],
    ["100", 5_000],
    [{}, 5_000],
    [null, 5_000],
    [-1, 0],
    [0, 0],
  ])("[CL7] graceMs: %s gives running requests %d ms", async (graceMs, expectedMs) => {
    const { harness, server, environment } = basicServer();
    server.handle("agent.slow", () => new Promise(() => {}));
    const peer = await harness.connect();
    await peer.send({ type: "request", correlation_id: "1", data: { name: "agent.slow" } });
    const start = environment.monotonic();
    let tookMs: number | undefined;
    const closing = server.close({ graceMs: graceMs as number }).then(() => (tookMs = environment.monotonic() - start));
    if (expectedMs > 0) {
      await harness.advance(expectedMs - 100);
      expect(peer.closed).toBeUndefined();
    }
    await harness.advance(200);
    await closing;
    expect(peer.closed?.code).toBe(1001);
    expect(tookMs).toBeLessThan(expectedMs + 200);
  });

  test("[CL4] a peer that does not answer the close frame is cut off, and a second call returns the same promise", async () => {
    const { harness, server } = basicServer();
    const peer = await harness.connect();
    peer.socket.stall(true);
    const first = server.close();
    expect(server.close()).toBe(first);
    await harness.advance(5_000);
    await first;
    expect(peer.closed?.code).toBe(1006);
  });

  test("[CL5] session.disconnect closes one connection with the given code, which tells the client whether to reconnect", async () => {
    const { harness, server } = basicServer();
    const [one, two] = [await harness.connect(), await harness.connect()];
    const [first, second] = server.sessions();
    first!.disconnect();
    second!.disconnect({ code: 4801, reason: "moved" });
    await harness.settle();
    expect([one.closed, two.closed]).toEqual([
      { code: 4403, reason: expect.any(String) },
      { code: 4801, reason: "moved" },
    ]);
    expect(server.sessions()).toEqual([]);
  });

  test.each([0, 999, 1005, 1006, 1015, 2999, 5000, 4000.5, Number.NaN])(
    "[CL5] session.disconnect refuses the code %d, which no close frame may carry, and closes nothing",
    async (code) => {
      const { harness, server } = basicServer();
      const peer = await harness.connect();
      const [session] = server.sessions();
      expect(() => session!.disconnect({ code })).toThrow(
        expect.objectContaining({ code: "INVALID_OPTION", field: "code" }),
      );
      await harness.settle();
      expect(peer.closed).toBeUndefined();
      expect(server.sessions()).toEqual([session]);
    },
  );
});

describe("a session", () => {
  test("[SE1] has the user, the device, the address, and the times of its start and of its last message", async () => {
    const { harness, server, environment } = basicServer({ authenticate });
    const start = environment.now();
    const peer = await harness.connect({ headers: { authorization: "Bearer token-u1" }, remoteAddress: "10.1.2.3" });
    await harness.advance(5_000);
    await peer.send({ type: "pong" });
    const session = server.sessions()[0]!;
    expect(session).toMatchObject({
      id: "id-1",
      userId: "u1",
      deviceId: "id-1",
      remoteAddress: "10.1.2.3",
      subscriptions: [],
    });
    expect(session.identity).toMatchObject({ userId: "u1" });
    expect(session.connectedAt.getTime()).toBe(start);
    await harness.advance(300); // between two heartbeat intervals
    await harness.connect({ headers: { authorization: "Bearer token-u2" } });
    for (const { connectedAt, lastActiveAt } of server.sessions())
      expect(lastActiveAt.getTime()).toBeGreaterThanOrEqual(connectedAt.getTime());
    expect(session.lastActiveAt.getTime()).toBe(start + 5_000);
  });
});

describe("the log", () => {
  test("[LG1] contains no token, no payload and no control character, whatever a peer sends", async () => {
    const lines: string[] = [];
    const log = (fields: object, message: string) => void lines.push(JSON.stringify({ ...fields, message }));
    const logger = { debug: log, info: log, warn: log, error: log };
    const { harness } = basicServer({ authenticate, logger, credentials: { queryToken: true, cookie: "sid" } });
    await harness.refused({ url: "/ws?token=secret-one" });
    await harness.refused({ headers: { cookie: "sid=secret-two", host: "a", origin: "https://evil\r\n\u001b[31m" } });
    const peer = await harness.connect();
    await peer.send({ type: "auth", data: { token: "secret-three" } });
    const other = await harness.connect({ headers: { authorization: "Bearer token-u1" } });
    await other.send('{"type":"a\\nb","secret-four":1}');
    expect(lines.length).toBeGreaterThan(3);
    const text = lines.join("\n");
    expect(text).not.toMatch(/secret/);
    // JSON escapes control characters. The escapes must not appear either.
    expect(text).not.toMatch(/\\u00|\\r|\\n/);
  });
});

test("if authenticate throws, the error is logged for the operator", async () => {
  const info = vi.fn();
  const { harness } = basicServer({
    authenticate: () => {
      throw new Error("issuer not trusted");
    },
    logger: { debug() {}, info, warn() {}, error() {} },
  });
  const peer = await harness.connect();
  await peer.send({ type: "auth", data: { token: "t" } });
  expect(info).toHaveBeenCalledWith(
    { source: "message", err: expect.objectContaining({ message: "issuer not trusted" }) },
    expect.any(String),
  );
});
