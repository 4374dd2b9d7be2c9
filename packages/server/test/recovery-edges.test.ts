import { createServer } from "@holdfast/server";
import { expect, test } from "vitest";
import { longHistory, historyServer, subscribeResults, subscribe } from "./support/history-server.js";
import { Follower } from "../src/log/follower.js";
import { LogFeed } from "../src/channel/log-feed.js";
import { basicServer } from "./support/basic-server.js";
import { fairWeather, SimBroker } from "./support/sim-broker.js";

test("[RV23] if the server closes while a channel is being opened, the channel stops opening and no timer is left", async () => {
  const { harness, server, environment, link, broker } = historyServer();
  const { prepare } = LogFeed.prototype;
  let calls = 0;
  LogFeed.prototype.prepare = function (from) {
    if (++calls > 1_000) throw new Error("spinning");
    return prepare.call(this, from);
  };
  try {
    const peer = await harness.connect();
    // As with Redis, commands sent before the close are still answered, because the lease is
    // released on the same connection.
    const { close } = link;
    link.close = () => new Promise((resolve) => void environment.after(1_000, () => resolve(close.call(link))));
    broker.weather = { ...fairWeather, latencyMs: 200 };
    void peer.send(subscribe("log:a"));
    // Subscribing takes 200 ms, and so does the read that follows. Close in the middle of the read.
    await harness.advance(250);
    void server.close({ graceMs: 0 });
    await harness.advance(5_000);
  } finally {
    LogFeed.prototype.prepare = prepare;
  }
  expect(environment.timers).toBe(0);
  expect(calls).toBeLessThan(10);
});

test("[RV17] a server that starts while the broker is unreachable delivers broadcasts when the broker is back", async () => {
  const broker = new SimBroker();
  const { join } = broker;
  broker.join = (instance) => {
    const link = join.call(broker, instance);
    link.cut();
    return link;
  };
  const { harness, server } = basicServer({ broker });
  await harness.advance(2_000);
  broker.up();
  await harness.advance(30_000);
  const peer = await harness.connect();
  expect(server.isReady).toBe(true);
  void server.broadcast("announcement", { text: "x" });
  await harness.advance(2_000);
  expect(peer.of("event").map(({ data }) => data)).toEqual([{ text: "x" }]);
});

test("[RV21] a channel that was empty when it was opened buffers no more events than other channels", async () => {
  const { harness, server, reads } = historyServer();
  const peer = await harness.connect();
  await peer.send(subscribe("log:a"));
  await harness.advance(50);
  const { position } = subscribeResults(peer)[0]!;
  for (let index = 0; index < 1_000; index++) void server.channel("log", "a").publish("line", `${index}`);
  await harness.advance(15_000);
  const before = reads.length;
  const late = await harness.connect();
  await late.send(subscribe({ channel: "log:a", position }));
  await harness.advance(50);
  expect(subscribeResults(late)[0]!.missed).toHaveLength(1_000);
  // 1,000 events exceed the 64 of the buffer, so the store is read.
  expect(reads.length - before).toBe(1);
});

test("[RV21] twenty requests with a position that is out of reach cause at most two reads", async () => {
  const { harness, server, reads } = historyServer();
  const peer = await harness.connect();
  await peer.send(subscribe("log:a"));
  await harness.advance(50);
  const { position } = subscribeResults(peer)[0]!;
  for (let index = 0; index < 300; index++) void server.channel("log", "a").publish("line", "x".repeat(10_000));
  await harness.advance(1_000);
  const before = reads.length;
  const late = await harness.connect();
  for (let times = 0; times < 20; times++) {
    await late.send(subscribe({ channel: "log:a", position: { ...position, offset: 1, id: "x" } }));
    await harness.advance(10);
  }
  expect(reads.length - before).toBeLessThan(3);
});

test("[RV12] if announcements overflow the queue of a pending read, the instance reads again within 3 s, not after 15 s", async () => {
  const { harness, link, broker } = historyServer();
  const other = createServer(longHistory, { environment: harness.environment, broker });
  const peer = await harness.connect();
  await peer.send(subscribe("log:a"));
  await harness.advance(50);
  // From here on, the answer to a read waits for `release`.
  const { read } = link;
  let release!: () => void;
  link.read = async (topic, options) => {
    const reading = await read.call(link, topic, options);
    await new Promise<void>((resolve) => (release = resolve));
    return reading;
  };
  link.isDeaf = true;
  void other.channel("log", "a").publish("line", "lost");
  await harness.advance(50);
  link.isDeaf = false;
  void other.channel("log", "a").publish("line", "shows it");
  await harness.advance(50);
  for (let index = 0; index < 1_000; index++) void other.channel("log", "a").publish("line", `${index}`);
  await harness.advance(500);
  link.read = read;
  release();
  await harness.advance(3_000);
  expect(peer.of("event").length + peer.of("reset").length).toBeGreaterThan(0);
  expect(peer.of("event").at(-1)!.data).toBe("999");
});

test("[RV23] after the history is lost, pending announcements of the old history do not cause repeated reads", async () => {
  const { harness, server, broker, link, reads } = historyServer();
  const peer = await harness.connect();
  await peer.send(subscribe("log:a"));
  await harness.advance(50);
  // Answers arrive before announcements.
  const receive = link.announce;
  link.announce = function (topic, publication) {
    harness.environment.after(20, () => receive.call(link, topic, publication));
  };
  for (let index = 0; index < 100; index++) void server.channel("log", "a").publish("line", `${index}`);
  await harness.advance(5_000);
  broker.store.empty();
  await harness.advance(20_000);
  const before = reads.length;
  for (let seconds = 0; seconds < 30; seconds++) {
    void server.channel("log", "a").publish("line", `${seconds}`);
    await harness.advance(1_000);
  }
  expect(reads.length - before).toBeLessThan(3);
});

test("[RV23] a follower that is closed while it delivers a read stays closed", async () => {
  const { harness, server, link, broker } = historyServer({ limits: { owedBytes: 131_072 } });
  const other = createServer(longHistory, { environment: harness.environment, broker });
  const all = new Set<InstanceType<typeof Follower>>();
  const { close } = Follower.prototype;
  Follower.prototype.close = function () {
    all.add(this);
    return close.call(this);
  };
  try {
    const peer = await harness.connect();
    await peer.send(subscribe("log:a"));
    await harness.advance(50);
    link.isDeaf = true;
    for (let index = 0; index < 3; index++) void other.channel("log", "a").publish("line", "x".repeat(60_000));
    await harness.advance(50);
    link.isDeaf = false;
    peer.socket.stall(true);
    void other.channel("log", "a").publish("line", "y");
    await harness.advance(2_000);
    expect(server.channel("log", "a").subscribers).toBe(0);
    expect([...all].map(({ isOpen }) => isOpen)).toEqual([false]);
  } finally {
    Follower.prototype.close = close;
  }
});
