import { createServer } from "@holdfast/server";
import { expect, test } from "vitest";
import { big, bigWorld, results, subscribe } from "./big-world.js";
import { Follower } from "../src/log/follower.js";
import { LogFeed } from "../src/channel/log-feed.js";
import { createWorld } from "./agents.js";
import { fairWeather, SimBroker } from "./simulation/sim-broker.js";

test("[RV23] closing the server while a channel is opened does not spin for ever", async () => {
  const { world, server, environment, link, broker } = bigWorld();
  const { prepare } = LogFeed.prototype;
  let calls = 0;
  LogFeed.prototype.prepare = function (from) {
    if (++calls > 1_000) throw new Error("spinning");
    return prepare.call(this, from);
  };
  try {
    const peer = await world.connect();
    // As with Redis: what was asked before the end is still answered, since the lease is given up
    // on the same connection.
    const { close } = link;
    link.close = () => new Promise((resolve) => void environment.after(1_000, () => resolve(close.call(link))));
    broker.weather = { ...fairWeather, latencyMs: 200 };
    void peer.send(subscribe("log:a"));
    // subscribe takes 2 ms there and back, reading as well; close in the middle of the reading
    await world.advance(250);
    void server.close({ graceMs: 0 });
    await world.advance(5_000);
  } finally {
    LogFeed.prototype.prepare = prepare;
  }
  expect(environment.timers).toBe(0);
  expect(calls).toBeLessThan(10);
});

test("[RV17] a server that starts while the broker is away hears broadcasts once it is there", async () => {
  const broker = new SimBroker();
  const { join } = broker;
  broker.join = (instance) => {
    const link = join.call(broker, instance);
    link.cut();
    return link;
  };
  const { world, server } = createWorld({ broker });
  await world.advance(2_000);
  broker.up();
  await world.advance(30_000);
  const peer = await world.connect();
  expect(server.isReady).toBe(true);
  void server.broadcast("announcement", { text: "x" });
  await world.advance(2_000);
  expect(peer.of("event").map(({ data }) => data)).toEqual([{ text: "x" }]);
});

test("[RV21] a channel that was opened empty keeps no more than others", async () => {
  const { world, server, reads } = bigWorld();
  const peer = await world.connect();
  await peer.send(subscribe("log:a"));
  await world.advance(50);
  const { position } = results(peer)[0]!;
  for (let index = 0; index < 1_000; index++) void server.channel("log", "a").publish("line", `${index}`);
  await world.advance(15_000);
  const before = reads.length;
  const late = await world.connect();
  await late.send(subscribe({ channel: "log:a", position }));
  await world.advance(50);
  expect(results(late)[0]!.missed).toHaveLength(1_000);
  // 1,000 are more than the 64 that are kept after a while: they have to be read.
  expect(reads.length - before).toBe(1);
});

test("[RV21] a position that is out of reach is read for once, not each time it is asked for", async () => {
  const { world, server, reads } = bigWorld();
  const peer = await world.connect();
  await peer.send(subscribe("log:a"));
  await world.advance(50);
  const { position } = results(peer)[0]!;
  for (let index = 0; index < 300; index++) void server.channel("log", "a").publish("line", "x".repeat(10_000));
  await world.advance(1_000);
  const before = reads.length;
  const late = await world.connect();
  for (let times = 0; times < 20; times++) {
    await late.send(subscribe({ channel: "log:a", position: { ...position, offset: 1, id: "x" } }));
    await world.advance(10);
  }
  expect(reads.length - before).toBeLessThan(3);
});

test("[RV12] more announcements than wait while the topic is read are read at once, not 15 s later", async () => {
  const { world, link, broker } = bigWorld();
  const other = createServer(big, { environment: world.environment, broker });
  const peer = await world.connect();
  await peer.send(subscribe("log:a"));
  await world.advance(50);
  // A reading whose answer is long on its way.
  const { read } = link;
  let release!: () => void;
  link.read = async (topic, options) => {
    const reading = await read.call(link, topic, options);
    await new Promise<void>((resolve) => (release = resolve));
    return reading;
  };
  link.isDeaf = true;
  void other.channel("log", "a").publish("line", "lost");
  await world.advance(50);
  link.isDeaf = false;
  void other.channel("log", "a").publish("line", "shows it");
  await world.advance(50);
  for (let index = 0; index < 1_000; index++) void other.channel("log", "a").publish("line", `${index}`);
  await world.advance(500);
  link.read = read;
  release();
  await world.advance(3_000);
  expect(peer.of("event").length + peer.of("reset").length).toBeGreaterThan(0);
  expect(peer.of("event").at(-1)!.data).toBe("999");
});

test("[RV23] what was expected of a history that is gone is not waited for", async () => {
  const { world, server, broker, link, reads } = bigWorld();
  const peer = await world.connect();
  await peer.send(subscribe("log:a"));
  await world.advance(50);
  // Answers come before announcements.
  const receive = link.announce;
  link.announce = function (topic, publication) {
    world.environment.after(20, () => receive.call(link, topic, publication));
  };
  for (let index = 0; index < 100; index++) void server.channel("log", "a").publish("line", `${index}`);
  await world.advance(5_000);
  broker.store.empty();
  await world.advance(20_000);
  const before = reads.length;
  for (let seconds = 0; seconds < 30; seconds++) {
    void server.channel("log", "a").publish("line", `${seconds}`);
    await world.advance(1_000);
  }
  expect(reads.length - before).toBeLessThan(3);
});

test("[RV23] a follower that was closed while it delivered what it had read stays closed", async () => {
  const { world, server, link, broker } = bigWorld({ limits: { owedBytes: 131_072 } });
  const other = createServer(big, { environment: world.environment, broker });
  const all = new Set<InstanceType<typeof Follower>>();
  const { close } = Follower.prototype;
  Follower.prototype.close = function () {
    all.add(this);
    return close.call(this);
  };
  try {
    const peer = await world.connect();
    await peer.send(subscribe("log:a"));
    await world.advance(50);
    link.isDeaf = true;
    for (let index = 0; index < 3; index++) void other.channel("log", "a").publish("line", "x".repeat(60_000));
    await world.advance(50);
    link.isDeaf = false;
    peer.socket.stall(true);
    void other.channel("log", "a").publish("line", "y");
    await world.advance(2_000);
    expect(server.channel("log", "a").subscribers).toBe(0);
    expect([...all].map(({ isOpen }) => isOpen)).toEqual([false]);
  } finally {
    Follower.prototype.close = close;
  }
});
