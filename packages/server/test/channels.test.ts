import { describe, expect, test, vi } from "vitest";
import { basicServer } from "./support/basic-server.js";
import { ForeignPromise } from "./support/foreign-promise.js";

const subscribe = (...channels: unknown[]) => ({ type: "subscribe", correlation_id: "s", data: { channels } });
const unsubscribe = (...channels: string[]) => ({ type: "unsubscribe", correlation_id: "u", data: { channels } });
const list = { type: "list_subscriptions", correlation_id: "l" };
const board = "board:7c1f0a3e-6b1d-4f7e-9a53-0d5c2b8f4e11";

describe("subscribe", () => {
  test("[SU1] the answer has `success`, `subscribed` and a result for each channel", async () => {
    const { harness, server } = basicServer();
    const peer = await harness.connect();
    await peer.send(subscribe("updates", board));
    expect(peer.last("subscribe_response")).toEqual({
      type: "subscribe_response",
      correlation_id: "s",
      data: {
        success: true,
        subscribed: ["updates", board],
        results: [
          { ok: true, channel: "updates" },
          { ok: true, channel: board },
        ],
      },
    });
    expect(server.channel("board", board.slice(6)).subscribers).toBe(1);
  });

  test.each([
    ["nonsense", '"nonsense"'],
    ["board", "board"],
    ["board:42", "uuid"],
    ["updates:1", "updates"],
    ["updatesX", '"updatesX"'],
    ["constructor", '"constructor"'],
    ["$all", '"$all"'],
  ])(
    "[SU2] the unknown or invalid channel %s is refused, and the other channels of the message are joined",
    async (name, named) => {
      const { harness, server } = basicServer();
      const peer = await harness.connect();
      await peer.send(subscribe(name, "updates"));
      const { data } = peer.last("subscribe_response");
      expect(data).toMatchObject({ success: false, subscribed: ["updates"] });
      expect(data.results[0]).toMatchObject({
        ok: false,
        channel: name,
        error: { code: "UNKNOWN_CHANNEL", message: expect.stringContaining(named) },
      });
      expect(server.stats().subscriptions).toEqual({ active: 1, failed: 1 });
    },
  );

  test("[SU3] authorize is called for each channel with name and key, and only granted channels are joined", async () => {
    const asked: unknown[] = [];
    const { harness } = basicServer({
      authorize: async ({ channel, key, action, session }) => {
        asked.push([session.id, action, channel, key]);
        return channel === "updates";
      },
    });
    const peer = await harness.connect();
    await peer.send(subscribe("updates", board));
    expect(asked).toEqual([
      ["id-1", "subscribe", "updates", undefined],
      ["id-1", "subscribe", "board", board.slice(6)],
    ]);
    expect(peer.last("subscribe_response").data.results).toMatchObject([
      { ok: true },
      { ok: false, error: { code: "FORBIDDEN", message: expect.stringContaining(board) } },
    ]);
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("database password");
      },
    ],
    ["rejects", () => Promise.reject(new Error("database password"))],
    ["never answers", () => new Promise<boolean>(() => {})],
  ])("[SU4] if authorize %s, the channel is refused with INTERNAL", async (_, authorize) => {
    const { harness, server } = basicServer({ authorize: authorize as () => Promise<boolean> });
    const peer = await harness.connect();
    await peer.send(subscribe("updates"));
    await harness.advance(29_000);
    await peer.send({ type: "pong" });
    await harness.advance(1_000);
    expect(peer.last("subscribe_response").data.results).toMatchObject([{ ok: false, error: { code: "INTERNAL" } }]);
    expect(JSON.stringify(peer.received)).not.toContain("password");
    expect(server.channel("updates").subscribers).toBe(0);
  });

  test("[SU4] if authorize fails and the logger throws, subscribe is still answered", async () => {
    const error = vi.fn().mockImplementationOnce(() => {
      throw new Error("the log is full");
    });
    const { harness } = basicServer({
      authorize: () => Promise.reject(new Error("no database")),
      logger: { debug() {}, info() {}, warn() {}, error },
    });
    const peer = await harness.connect();
    await peer.send(subscribe("updates"));
    expect(error).toHaveBeenCalled();
    expect(peer.last("subscribe_response")).toMatchObject({
      correlation_id: "s",
      data: { success: false, results: [{ error: { code: "INTERNAL" } }] },
    });
  });

  test("[SU5] if authorize returns a value other than true, the channel is refused", async () => {
    const { harness } = basicServer({ authorize: () => "yes" as unknown as boolean });
    const peer = await harness.connect();
    await peer.send(subscribe("updates"));
    expect(peer.last("subscribe_response").data.success).toBe(false);
  });

  test("[SU5] if authorize returns a promise of another library, the server awaits the promise", async () => {
    const { harness } = basicServer({ authorize: ({ channel }) => ForeignPromise.resolve(channel === "updates") });
    const peer = await harness.connect();
    await peer.send(subscribe("updates", "log"));
    expect(peer.last("subscribe_response").data.subscribed).toEqual(["updates"]);
  });

  test("[SU6] a subscribe to a joined channel does not call authorize again, and each event is delivered once", async () => {
    let asked = 0;
    const { harness, server } = basicServer({ authorize: () => ++asked > 0 });
    const peer = await harness.connect();
    await peer.send(subscribe("updates", "updates"), subscribe("updates"));
    await server.channel("updates").publish("changed", { id: "a" });
    await harness.settle();
    expect(peer.of("event")).toHaveLength(1);
    expect(asked).toBe(2); // authorize is called for both entries before either joins
    expect(server.stats().subscriptions.active).toBe(1);
  });

  test("[SU7] subscribe and unsubscribe take effect in the order they were sent, however long authorize takes", async () => {
    let grant: ((yes: boolean) => void) | undefined;
    const { harness, server } = basicServer({ authorize: () => new Promise<boolean>((resolve) => (grant = resolve)) });
    const peer = await harness.connect();
    await peer.send(subscribe("updates"), unsubscribe("updates"), list);
    expect(peer.received).toHaveLength(1);
    grant!(true);
    await harness.settle();
    expect(peer.received.slice(1).map((message) => message.type)).toEqual([
      "subscribe_response",
      "unsubscribe_response",
      "subscriptions",
    ]);
    expect(peer.last("subscriptions").data.channels).toEqual([]);
    expect(server.channel("updates").subscribers).toBe(0);
  });

  test("[SU8] if a connection closes while authorize runs, it joins no channel and leaves no state behind", async () => {
    let grant: ((yes: boolean) => void) | undefined;
    const { harness, server, environment } = basicServer({
      authorize: () => new Promise<boolean>((resolve) => (grant = resolve)),
    });
    const peer = await harness.connect();
    await peer.send(subscribe("updates"));
    peer.socket.drop();
    grant!(true);
    await harness.settle();
    expect(server.channel("updates").subscribers).toBe(0);
    expect(server.stats()).toMatchObject({ connections: { active: 0 }, subscriptions: { active: 0 } });
    expect(environment.timers).toBe(0);
  });

  test("[SU8] if a connection closes while authorize runs, authorize is not called for the queued messages of the connection", async () => {
    const grant: ((yes: boolean) => void)[] = [];
    const { harness } = basicServer({ authorize: () => new Promise<boolean>((resolve) => grant.push(resolve)) });
    const peer = await harness.connect();
    await peer.send(subscribe("updates"), subscribe("log"));
    peer.socket.drop();
    grant[0]!(true);
    await harness.settle();
    expect(grant).toHaveLength(1);
  });

  test("[SU19] a connection with more than 4,096 queued channel changes behind a pending authorize is closed with 4429", async () => {
    const { harness } = basicServer({ authorize: () => new Promise<boolean>(() => {}) });
    const peer = await harness.connect();
    const many = unsubscribe(...Array.from({ length: 512 }, (_, index) => `c${index}`));
    await peer.send(subscribe("updates"), ...Array.from({ length: 8 }, () => many));
    expect(peer.closed).toBeUndefined();
    await peer.send(list);
    expect(peer.closed).toEqual({ code: 4429, reason: '{"retryAfterMs":1000}' });
  });

  test("[SU19] channel changes that were answered no longer count towards the limit", async () => {
    let grant: ((yes: boolean) => void) | undefined;
    const { harness } = basicServer({ authorize: () => new Promise<boolean>((resolve) => (grant = resolve)) });
    const peer = await harness.connect();
    const many = unsubscribe("updates", ...Array.from({ length: 511 }, (_, index) => `c${index}`));
    for (let round = 0; round < 10; round++) {
      await peer.send(subscribe("updates"), many);
      grant!(true);
      await harness.settle();
    }
    expect(peer.of("unsubscribe_response")).toHaveLength(10);
    expect(peer.closed).toBeUndefined();
  });

  test("[SU9] an event published before the answer to subscribe is not delivered, a later event is", async () => {
    const { harness, server } = basicServer();
    const peer = await harness.connect();
    peer.socket.send(JSON.stringify(subscribe("updates")));
    await server.channel("updates").publish("changed", { id: "before" });
    await harness.settle();
    await server.channel("updates").publish("changed", { id: "after" });
    await harness.settle();
    expect(peer.received.slice(1).map((message) => (message.type === "event" ? message.data : message.type))).toEqual([
      "subscribe_response",
      { id: "after" },
    ]);
  });

  test("[SU10] a position of another epoch is answered with a reset and the current position", async () => {
    const { harness } = basicServer();
    const peer = await harness.connect();
    await peer.send(
      subscribe({ channel: "log", position: { epoch: "e", offset: 3, id: "x" } }, { channel: "updates" }),
    );
    expect(peer.last("subscribe_response").data.results).toEqual([
      { ok: true, channel: "log", position: { epoch: expect.any(String), offset: 0, id: "" }, reset: "epoch" },
      { ok: true, channel: "updates" },
    ]);
  });

  test("[SU11] a subscribe beyond `limits.subscriptions` or `limits.subscribersPerChannel` is refused with LIMIT_EXCEEDED", async () => {
    const { harness } = basicServer({ limits: { subscriptions: 2, subscribersPerChannel: 1 } });
    const first = await harness.connect();
    await first.send(subscribe("updates", "log", board));
    expect(first.last("subscribe_response").data.results[2]).toMatchObject({
      ok: false,
      error: { code: "LIMIT_EXCEEDED", message: expect.stringMatching(/\b2\b/) },
    });
    const second = await harness.connect();
    await second.send(subscribe("updates"));
    expect(second.last("subscribe_response").data.results[0]).toMatchObject({
      ok: false,
      error: { code: "LIMIT_EXCEEDED" },
    });
  });
});

describe("unsubscribe and list_subscriptions", () => {
  test("[SU12] after unsubscribe no more events are delivered; unsubscribing from a channel that was not joined succeeds", async () => {
    const { harness, server } = basicServer();
    const peer = await harness.connect();
    await peer.send(subscribe("updates", "log"), unsubscribe("updates", board), list);
    expect(peer.last("unsubscribe_response").data).toEqual({ success: true, unsubscribed: ["updates", board] });
    expect(peer.last("subscriptions")).toMatchObject({ correlation_id: "l", data: { channels: ["log"] } });
    expect(await server.channel("updates").publish("changed", { id: "a" })).toEqual({ delivered: 0 });
  });

  test("[SU13] a closed connection is removed from all its channels", async () => {
    const { harness, server } = basicServer();
    const peer = await harness.connect();
    await peer.send(subscribe("updates", board));
    expect(server.sessions()[0]?.subscriptions).toEqual(["updates", board]);
    expect(server.stats().channels.active).toBe(2);
    peer.socket.close();
    await harness.settle();
    expect(server.stats()).toMatchObject({ subscriptions: { active: 0 }, channels: { active: 0 } });
    expect(server.channel("updates").subscribers).toBe(0);
  });
});

describe("publish", () => {
  test("[SU14] publish reaches exactly the members of that channel and key, and returns their number", async () => {
    const { harness, server } = basicServer();
    const [one, two, three] = [await harness.connect(), await harness.connect(), await harness.connect()];
    const other = "board:00000000-0000-4000-8000-000000000001";
    await one.send(subscribe(board));
    await two.send(subscribe(board, "updates"));
    await three.send(subscribe(other));
    expect(await server.channel("board", board.slice(6)).publish("moved", { x: 1 })).toEqual({ delivered: 2 });
    await harness.settle();
    const expected = [{ type: "event", channel: board, event: "moved", data: { x: 1 } }];
    expect([one, two, three].map((peer) => peer.of("event"))).toEqual([expected, expected, []]);
    expect(server.stats().published).toEqual({ total: 1, delivered: 2 });
  });

  test("[SU15] an event carries meta only if its data contains rich values", async () => {
    const { harness, server } = basicServer();
    const peer = await harness.connect();
    await peer.send(subscribe("updates"));
    await server.channel("updates").publish("changed", { id: "a", at: new Date(0) });
    await server.channel("updates").publish("changed", { id: "b" });
    await harness.settle();
    expect(peer.of("event")).toMatchObject([
      { data: { id: "a", at: "1970-01-01T00:00:00.000Z" }, meta: { values: { at: ["Date"] } } },
      { data: { id: "b" } },
    ]);
    expect(peer.of("event")[1]).not.toHaveProperty("meta");
  });

  test("[SU16] publish with invalid data rejects with INVALID_VALUE and the field, and sends nothing", async () => {
    const { harness, server } = basicServer();
    const peer = await harness.connect();
    await peer.send(subscribe("updates"));
    await expect(server.channel("updates").publish("changed", { id: 5 } as never)).rejects.toMatchObject({
      code: "INVALID_VALUE",
      field: "data.id",
    });
    await expect(server.channel("updates").publish("exploded" as "changed", { id: "a" })).rejects.toMatchObject({
      code: "INVALID_VALUE",
      field: "event",
    });
    expect(() => server.channel("board", "no-uuid")).toThrow(expect.objectContaining({ code: "UNKNOWN_CHANNEL" }));
    await harness.settle();
    expect(peer.of("event")).toEqual([]);
  });

  test("[SU20] publish and broadcast reject an event larger than `limits.owedBytes` with LIMIT_EXCEEDED, and no connection is closed", async () => {
    const { harness, server } = basicServer({ limits: { owedBytes: 10_000 } });
    const peer = await harness.connect();
    await peer.send(subscribe("log"));
    const expected = { code: "LIMIT_EXCEEDED", field: "data", message: expect.stringContaining("10000") };
    await expect(server.channel("log").publish("line", "é".repeat(5_000))).rejects.toMatchObject(expected);
    await expect(server.broadcast("announcement", { text: "x".repeat(10_000) })).rejects.toMatchObject(expected);
    await harness.settle();
    expect(peer.closed).toBeUndefined();
    expect(peer.of("event")).toEqual([]);
    expect(server.stats().published).toEqual({ total: 0, delivered: 0 });
  });

  test("[SU17] the events of one channel arrive in the order of the publish calls", async () => {
    const { harness, server } = basicServer();
    const peer = await harness.connect();
    await peer.send(subscribe("log"));
    for (let index = 0; index < 100; index++) void server.channel("log").publish("line", `line ${index}`);
    await harness.settle();
    expect(peer.of("event").map((event) => event.data)).toEqual(
      Array.from({ length: 100 }, (_, index) => `line ${index}`),
    );
  });

  test("[SU18] broadcast reaches every authenticated connection, subscribed or not, and no other", async () => {
    const { harness, server } = basicServer({ authenticate: ({ token }) => ({ userId: token }) });
    const peers = [await harness.connect(), await harness.connect()];
    for (const peer of peers) await peer.send({ type: "auth", data: { token: "u" } });
    const stranger = await harness.connect();
    expect(await server.broadcast("announcement", { text: "hello" })).toEqual({ delivered: 2 });
    await harness.settle();
    for (const peer of peers)
      expect(peer.of("event")).toEqual([
        { type: "event", channel: "$all", event: "announcement", data: { text: "hello" } },
      ]);
    expect(stranger.received).toEqual([]);
    await expect(server.broadcast("announcement", { text: 1 } as never)).rejects.toMatchObject({
      code: "INVALID_VALUE",
      field: "data.text",
    });
  });
});
