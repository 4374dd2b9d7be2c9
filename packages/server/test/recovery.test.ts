import type { Position } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import { describe, expect, test } from "vitest";
import { memoryBroker } from "../src/broker/memory-broker.js";
import { agents, basicServer } from "./support/basic-server.js";
import { fairWeather, SimBroker } from "./support/sim-broker.js";
import { type Peer, ServerHarness } from "./support/server-harness.js";

const subscribe = (...channels: unknown[]) => ({ type: "subscribe", correlation_id: "s", data: { channels } });
const at = (position: unknown, channel = "log") => subscribe({ channel, position });

/** One instance on a broker whose faults the test controls. */
function instance(options: Parameters<typeof basicServer>[0] = {}, broker = new SimBroker()) {
  const all = basicServer({ broker, ...options });
  return {
    ...all,
    broker,
    link: broker.links.at(-1)!,
    topic: (name = "log") => broker.store.topics.get(name)!,
    async publish(...lines: string[]) {
      const published = lines.map((line) => all.server.channel("log").publish("line", line));
      await all.harness.advance(2_000);
      return Promise.all(published);
    },
    async connect(message?: Record<string, unknown>): Promise<Peer> {
      const peer = await all.harness.connect();
      if (message) await peer.send(message);
      await all.harness.advance(50);
      return peer;
    },
  };
}

/** The result for the only channel of the last answer. */
const result = (peer: Peer): { position: Position; missed?: object[]; reset?: string } =>
  peer.last("subscribe_response").data.results[0] as never;
const lines = (events: object[] | undefined): unknown[] =>
  (events ?? []).map((event) => (event as { data: unknown }).data);
const heard = (peer: Peer): unknown[] => lines(peer.of("event"));

describe("an event of a channel with history", () => {
  test("[RV2] carries its position: offsets count up by one, and each event names the id of the previous one", async () => {
    const { connect, publish } = instance();
    const peer = await connect(subscribe("log"));
    const { position } = result(peer);
    expect(position).toMatchObject({ offset: 0, id: "" });
    const [first, second] = await publish("a", "b");
    expect(peer.of("event").map(({ metadata }) => metadata)).toEqual([
      { offset: 1, id: first!.id, prev: "" },
      { offset: 2, id: second!.id, prev: first!.id },
    ]);
    expect(first).toEqual({ delivered: 1, offset: 1, id: expect.any(String) });
    await peer.send(subscribe("log"));
    expect(result(peer).position).toEqual({ epoch: position.epoch, offset: 2, id: second!.id });
  });

  test("[RV3] has a position, but an event of a channel without history has none", async () => {
    const { harness, server, connect } = instance();
    const peer = await connect(subscribe("updates"));
    const published = server.channel("updates").publish("changed", { id: "a" });
    await harness.advance(100);
    expect(await published).toEqual({ delivered: 1 });
    expect(peer.last("event")).not.toHaveProperty("metadata");
    expect(result(peer)).toEqual({ ok: true, channel: "updates" });
  });

  test("[RV4] a second publication with the same idempotency key stores nothing and returns the position of the first", async () => {
    const { harness, server, connect } = instance();
    const peer = await connect(subscribe("log"));
    const publish = () => server.channel("log").publish("line", "a", { idempotencyKey: "k" });
    const both = [publish(), publish()];
    await harness.advance(100);
    const [first, second] = await Promise.all(both);
    expect(second).toEqual({ ...first, delivered: 0, duplicate: true });
    expect(heard(peer)).toEqual(["a"]);
    for (const [key, field] of [
      ["", "idempotencyKey"],
      ["x".repeat(129), "idempotencyKey"],
    ] as const)
      await expect(server.channel("log").publish("line", "a", { idempotencyKey: key })).rejects.toMatchObject({
        code: "INVALID_OPTION",
        field,
      });
    for (const [options, field] of [
      [{ idempotenceKey: "k" }, "idempotenceKey"],
      [new Map([["idempotencyKey", "k"]]), "options"],
      [Promise.resolve({ idempotencyKey: "k" }), "options"],
      ["k", "options"],
      [null, "options"],
    ] as [object, string][])
      await expect(server.channel("log").publish("line", "a", options)).rejects.toMatchObject({
        code: "INVALID_OPTION",
        field,
      });
    expect(heard(peer)).toEqual(["a"]);
    await expect(
      server.channel("updates").publish("changed", { id: "a" }, { idempotencyKey: "k" }),
    ).rejects.toMatchObject({ code: "INVALID_OPTION", field: "idempotencyKey" });
  });

  test("[RV5] reaches members before the answer of the handler that published the event", async () => {
    const { server, connect, harness } = instance();
    server.handle("agent.ping", async () => void (await server.channel("log").publish("line", "before")));
    const peer = await connect(subscribe("log"));
    await peer.send({ type: "request", correlation_id: "r", data: { name: "agent.ping" } });
    await harness.advance(200);
    const order = peer.received.map(({ type }) => type).filter((type) => type === "event" || type === "response");
    expect(order.slice(0, 2)).toEqual(["event", "response"]);
  });
});

describe("a client that resumes with its position", () => {
  test("[RV6] receives every missed event in the answer, in order, followed by later events", async () => {
    const { connect, publish } = instance();
    await connect(subscribe("log"));
    const [, second] = await publish("a", "b");
    await publish("c", "d");
    const { epoch } = (await result(await connect(subscribe("log")))).position;
    const back = await connect(at({ epoch, offset: 2, id: second!.id }));
    expect(lines(result(back).missed)).toEqual(["c", "d"]);
    expect(result(back)).not.toHaveProperty("reset");
    expect(result(back).position.offset).toBe(4);
    await publish("e");
    expect(heard(back)).toEqual(["e"]);
    // If no event was missed, the answer has an empty list.
    const again = await connect(at(result(await connect(subscribe("log"))).position));
    expect(result(again).missed).toEqual([]);
  });

  test("[RV7] if a thousand clients resume at once on a new instance, the store is read once", async () => {
    const { connect, publish, broker, environment, topic } = instance();
    await connect(subscribe("log"));
    const [first] = await publish(...Array.from({ length: 12 }, (_, index) => `${index}`));
    const position = { epoch: topic().epoch, offset: 1, id: first!.id };
    const server = createServer(agents, { environment, broker });
    const reads: string[] = [];
    const link = broker.links.at(-1)!;
    const { read } = link;
    link.read = (name, options) => {
      if (name === "log") reads.push(name);
      return read.call(link, name, options);
    };
    const { MemoryTransport } = await import("../src/testing.js");
    const transport = new MemoryTransport(server);
    const answers: string[] = [];
    for (let count = 0; count < 1_000; count++) {
      const connected = await transport.connect();
      if (!connected.ok) throw new Error("refused");
      connected.socket.onFrame = (frame) => void (frame.includes("subscribe_response") && answers.push(frame));
      connected.socket.send(JSON.stringify(at(position)));
      transport.flush();
    }
    for (let round = 0; round < 50; round++) {
      for (let tick = 0; tick < 20; tick++) await Promise.resolve();
      environment.runNext(environment.monotonic() + 5);
      environment.endTurn();
      transport.flush();
    }
    expect(answers).toHaveLength(1_000);
    expect(
      lines((JSON.parse(answers[999]!) as { data: { results: [{ missed: object[] }] } }).data.results[0].missed),
    ).toHaveLength(11);
    expect(new Set(answers).size).toBe(1);
    expect(reads).toEqual(["log"]);
  });

  test.each<[string, (position: Position) => Position]>([
    ["epoch", (position) => ({ ...position, epoch: "another" })],
    ["fork", (position) => ({ ...position, offset: position.offset + 1, id: "never-published" })],
    ["fork", (position) => ({ ...position, id: "of-another-branch" })],
    ["fork", (position) => ({ ...position, offset: position.offset - 1, id: "of-another-branch" })],
    ["trimmed", (position) => ({ ...position, offset: 1, id: "long-ago" })],
  ])(
    "[RV8] receives a reset with %s and the current position, and no part of the missed events",
    async (reset, from) => {
      const { connect, publish } = instance();
      await publish(...Array.from({ length: 20 }, (_, index) => `${index}`));
      const { position } = result(await connect(subscribe("log")));
      const back = await connect(at(from(position)));
      expect(result(back)).toEqual({ ok: true, channel: "log", reset, position });
    },
  );

  test("[RV9] receives a reset with `too_many` if the missed events exceed 256 KiB", async () => {
    const { connect, publish } = instance();
    const { position } = result(await connect(subscribe("log")));
    await publish(...Array.from({ length: 6 }, () => "x".repeat(50_000)));
    expect(result(await connect(at(position))).reset).toBe("too_many");
  });

  test("[RV10] a large answer for many channels is sent in parts, as fast as the client reads, and the client is not closed", async () => {
    const { connect, harness, server } = instance({ limits: { owedBytes: 262_144 } });
    const keys = Array.from({ length: 20 }, (_, index) => `7c1f0a3e-6b1d-4f7e-9a53-0d5c2b8f4e${10 + index}`);
    const wires = keys.map((key) => `journal:${key}`);
    const first = await connect(subscribe(...wires));
    const positions = first
      .last("subscribe_response")
      .data.results.map((entry) => (entry as { position: Position }).position);
    for (const key of keys) void server.channel("journal", key).publish("line", "x".repeat(40_000));
    await harness.advance(500);
    const back = await harness.connect();
    back.socket.stall(true);
    await back.send(subscribe(...wires.map((channel, index) => ({ channel, position: positions[index] }))));
    await harness.advance(1_000);
    back.socket.stall(false);
    await harness.advance(5_000);
    const parts = back.of("subscribe_response");
    expect(parts.length).toBeGreaterThan(5);
    expect(parts.every(({ correlation_id: id }) => id === "s")).toBe(true);
    expect(parts.flatMap(({ data }) => data.subscribed)).toEqual(wires);
    expect(
      parts.flatMap(({ data }) => data.results.flatMap((entry) => lines((entry as { missed: object[] }).missed))),
    ).toHaveLength(20);
    expect(back.closed).toBeUndefined();
    expect(back.of("event")).toEqual([]);
  });

  test("[RV11] if permissions change while the history is read, authorize is called again and decides", async () => {
    let allowed = true;
    const { harness, server, link } = instance({
      authenticate: () => ({ userId: "ada" }),
      authorize: () => allowed,
      credentials: { cookie: "c" },
    });
    const { read } = link;
    link.read = async (...read_) => {
      allowed = false;
      await server
        .user("ada")
        .reauthorize()
        .catch(() => undefined);
      return read.apply(link, read_);
    };
    const peer = await harness.connect({ headers: { cookie: "c=1", origin: "http://localhost", host: "localhost" } });
    await peer.send(subscribe("log"));
    await harness.advance(3_000);
    expect(peer.last("subscribe_response").data).toMatchObject({
      success: false,
      results: [{ error: { code: "FORBIDDEN" } }],
    });
  });
});

describe("events lost between the broker and an instance", () => {
  test("[RV12] if the next event does not link, the instance reads the missing events once, and members receive all events in order", async () => {
    const { connect, publish, link, server, harness } = instance();
    const peers = [await connect(subscribe("log")), await connect(subscribe("log"))];
    await publish("a");
    link.isDeaf = true;
    for (const line of ["b", "c"]) void server.channel("log").publish("line", line);
    await harness.advance(50);
    let reads = 0;
    const { read } = link;
    link.read = (...asked) => (reads++, read.apply(link, asked));
    link.isDeaf = false;
    await publish("d");
    for (const peer of peers) expect(heard(peer)).toEqual(["a", "b", "c", "d"]);
    expect(reads).toBe(1);
  });

  test("[RV13] a lost event without a successor is found within 20 s, and within 2 s by the instance that published it", async () => {
    const broker = new SimBroker();
    const here = instance({}, broker);
    const peer = await here.connect(subscribe("log"));
    const there = createServer(agents, { environment: here.environment, broker });
    here.link.isDeaf = true;
    void there.channel("log").publish("line", "from there");
    await here.harness.advance(20_000);
    expect(heard(peer)).toEqual(["from there"]);
    void here.server.channel("log").publish("line", "from here");
    await here.harness.advance(2_000);
    expect(heard(peer)).toEqual(["from there", "from here"]);
  });

  test("[RV14] if the store no longer has the lost events, members receive a reset before any newer event", async () => {
    const { connect, publish, link, topic, harness, server } = instance();
    const peer = await connect(subscribe("log"));
    await publish("a");
    link.isDeaf = true;
    void publish(...Array.from({ length: 20 }, (_, index) => `${index}`));
    await harness.advance(50);
    topic().log = topic().log.slice(-2);
    link.isDeaf = false;
    void server.channel("log").publish("line", "new");
    await harness.advance(3_000);
    const after = peer.received.slice(peer.received.findIndex(({ type }) => type === "reset"));
    expect(after[0]).toMatchObject({ type: "reset", channel: "log", data: { reason: "trimmed" } });
    const { position } = (after[0] as { data: { position: Position } }).data;
    // Later events link to the position of the reset.
    await publish("newer");
    const next = peer.of("event").at(-1)!;
    expect(next.data).toBe("newer");
    expect(next.metadata?.offset).toBeGreaterThan(position.offset);
  });

  test.each([
    ["and its connections close", true],
    ["behind a proxy that keeps the connections open", false],
  ])("[RV15] if the store is rolled back %s, every member receives a reset with `fork`", async (_, cuts) => {
    const { connect, publish, broker, harness, server } = instance();
    const peer = await connect(subscribe("log"));
    await publish("a");
    const old = broker.store.snapshot();
    await publish("b", "c");
    const away = result(await connect(subscribe("log"))).position;
    if (cuts) broker.down();
    broker.store.restore(old);
    if (cuts) broker.up();
    await harness.advance(20_000);
    expect(peer.last("reset").data).toMatchObject({ reason: "fork", position: { offset: 1 } });
    void server.channel("log").publish("line", "d");
    await harness.advance(2_000);
    expect(heard(peer)).toEqual(["a", "b", "c", "d"]);
    expect(peer.received.findIndex(({ type }) => type === "reset")).toBeLessThan(peer.received.length - 1);
    // The offset that the client knows exists again, but with another event.
    void server.channel("log").publish("line", "e");
    await harness.advance(2_000);
    expect(result(await connect(at(away))).reset).toBe("fork");
  });

  test("[RV16] duplicate, late and foreign announcements are ignored", async () => {
    const broker = new SimBroker();
    const { connect, publish, harness, server, environment } = instance({}, broker);
    const peer = await connect(subscribe("log"));
    broker.weather = { ...fairWeather, twice: 1 };
    await publish("a", "b");
    broker.weather = { ...fairWeather, overtaken: 1 };
    await publish("c", "d");
    broker.weather = fairWeather;
    expect(heard(peer)).toEqual(["a", "b", "c", "d"]);
    // A foreign announcement of an event that the store does not have.
    const strange = { topic: "log", body: '{"event":"line","data":"forged"}', link: { offset: 9, id: "x", prev: "y" } };
    for (const link of broker.links) link.announce(strange.topic, strange);
    await harness.advance(30_000);
    await publish("e");
    expect(heard(peer)).toEqual(["a", "b", "c", "d", "e"]);
    expect(peer.of("reset")).toEqual([]);
    expect(server.channel("log").subscribers).toBe(1);
    expect(environment.timers).toBeGreaterThan(0);
  });
});

describe("while the broker cannot be reached", () => {
  test("[RV17] publish rejects within a second, no connection is closed, and events arrive within a second after the broker is back", async () => {
    const { connect, publish, broker, harness, server, environment } = instance();
    const peer = await connect(subscribe("log"));
    await publish("a");
    broker.down();
    const started = environment.monotonic();
    const refused = server.channel("log").publish("line", "lost");
    const ended = refused.catch((error: { code: string }) => [error.code, environment.monotonic() - started] as const);
    await harness.advance(20_000);
    const [code, ms] = (await ended) as readonly [string, number];
    expect([code, ms < 1_000]).toEqual(["UNAVAILABLE", true]);
    await expect(
      Promise.all([server.broadcast("announcement", { text: "x" }), harness.advance(2_000)]),
    ).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
    expect(peer.closed).toBeUndefined();
    broker.up();
    void server.channel("log").publish("line", "b");
    await harness.advance(1_000);
    expect(heard(peer)).toEqual(["a", "b"]);
  });

  test("[RV18] subscribe is refused with UNAVAILABLE, unless the channel is already open on this instance", async () => {
    const { connect, broker, harness } = instance();
    const { position } = result(await connect(subscribe("log")));
    broker.down();
    const late = await harness.connect();
    await late.send(subscribe("log", { channel: "updates" }));
    await harness.advance(3_000);
    expect(late.last("subscribe_response").data).toMatchObject({
      success: false,
      subscribed: ["log"],
      results: [{ ok: true }, { ok: false, channel: "updates", error: { code: "UNAVAILABLE" } }],
    });
    // The position is ahead of this instance, which cannot decide during the outage whether the
    // position is on a fork.
    await late.send(at({ ...position, offset: 7, id: "x" }));
    await harness.advance(3_000);
    expect(result(late)).toMatchObject({ ok: false, channel: "log", error: { code: "UNAVAILABLE" } });
    broker.up();
    await late.send(subscribe("updates"));
    await harness.advance(1_000);
    expect(late.last("subscribe_response").data.success).toBe(true);
  });
});

describe("servers that share a broker", () => {
  test("[RV19] members on all instances receive the events of every instance, in one order", async () => {
    const broker = memoryBroker();
    const one = basicServer({ broker });
    const two = createServer(agents, { environment: one.environment, broker });
    const other = new ServerHarness(two, one.environment);
    const peers = [await one.harness.connect(), await other.connect()];
    for (const peer of peers) await peer.send(subscribe("log", "updates"));
    for (const [index, server] of [one.server, two, one.server, two].entries()) {
      await server.channel("log").publish("line", `${index}`);
      await server.channel("updates").publish("changed", { id: `${index}` });
      await server.broadcast("announcement", { text: `${index}` });
    }
    await one.harness.settle();
    await other.settle();
    const all = peers.map((peer) => peer.of("event").map(({ channel, data }) => [channel, data]));
    expect(all[0]).toHaveLength(12);
    expect(all[1]).toEqual(all[0]);
    await Promise.all([one.server.close(), two.close(), one.harness.advance(5_000)]);
    expect(one.environment.timers).toBe(0);
  });
});
