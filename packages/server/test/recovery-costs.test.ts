// The costs that a peer can cause for the store, for a channel and for its own connection.
import { expect, test } from "vitest";
import { historyServer, subscribeResults, subscribe } from "./support/history-server.js";

test("[RV21] a client that joins and leaves repeatedly does not cause a read of the whole history each time", async () => {
  const { harness, server, reads } = historyServer();
  for (let index = 0; index < 300; index++) void server.channel("log", "a").publish("line", "x".repeat(10_000));
  await harness.advance(1_000);
  const peer = await harness.connect();
  for (let times = 0; times < 20; times++) {
    await peer.send(subscribe("log:a"), { type: "unsubscribe", data: { channels: ["log:a"] } });
    await harness.advance(10);
  }
  expect(reads.reduce((sum, { got }) => sum + got, 0)).toBeLessThan(1_000);
});

test("[RV22] missed events of three-byte characters are replayed, and the client is not closed", async () => {
  const { harness, server } = historyServer();
  const peer = await harness.connect();
  const keys = ["a", "b"];
  await peer.send(subscribe(...keys.map((key) => `log:${key}`)));
  await harness.advance(50);
  const at = subscribeResults(peer).map(({ position }) => position);
  const text = "漢".repeat(9_000);
  for (let index = 0; index < 4; index++) void server.channel("log", "a").publish("line", text);
  for (let index = 0; index < 8; index++) void server.channel("log", "b").publish("line", text);
  await harness.advance(1_000);
  const back = await harness.connect();
  await back.send(subscribe(...keys.map((key, index) => ({ channel: `log:${key}`, position: at[index] }))));
  await harness.advance(10_000);
  expect(back.closed).toBeUndefined();
  expect(subscribeResults(back).map(({ missed, reset }) => reset ?? missed!.length)).toEqual([4, 8]);
});

test("[RV22] a connection with a small limit of owed bytes is not closed because of a replay", async () => {
  const { harness, server } = historyServer({ limits: { owedBytes: 131_072 } });
  const peer = await harness.connect();
  await peer.send(subscribe("log:a"));
  await harness.advance(50);
  const { position } = subscribeResults(peer)[0]!;
  for (let index = 0; index < 20; index++) void server.channel("log", "a").publish("line", "x".repeat(10_000));
  await harness.advance(1_000);
  const back = await harness.connect();
  await back.send(subscribe({ channel: "log:a", position }));
  await harness.advance(1_000);
  expect(back.closed).toBeUndefined();
});

test("[RV10] a client that does not read for 12 s still receives the missed events of all its channels", async () => {
  const { harness, server } = historyServer();
  const keys = Array.from({ length: 8 }, (_, index) => `k${index}`);
  const peer = await harness.connect();
  await peer.send(subscribe(...keys.map((key) => `log:${key}`)));
  await harness.advance(50);
  const at = subscribeResults(peer).map(({ position }) => position);
  await peer.send({ type: "unsubscribe", data: { channels: keys.map((key) => `log:${key}`) } });
  for (const key of keys)
    for (let index = 0; index < 100; index++) void server.channel("log", key).publish("line", "x".repeat(2_000));
  await harness.advance(1_000);
  const back = await harness.connect();
  back.socket.stall(true);
  await back.send(subscribe(...keys.map((key, index) => ({ channel: `log:${key}`, position: at[index] }))));
  await harness.advance(12_000);
  back.socket.stall(false);
  await harness.advance(5_000);
  expect(subscribeResults(back).map(({ missed, reset }) => reset ?? missed!.length)).toEqual(keys.map(() => 100));
});

test("[RV21] a connection with the maximum number of channels cannot make the broker subscribe to more topics", async () => {
  const { harness, link } = historyServer({ limits: { subscriptions: 2 } });
  const peer = await harness.connect();
  await peer.send(subscribe("log:a", "log:b"));
  await harness.advance(50);
  let subscribed = 0;
  const { subscribe: ask } = link;
  link.subscribe = (topic) => (subscribed++, ask.call(link, topic));
  await peer.send(subscribe(...Array.from({ length: 100 }, (_, index) => `log:x${index}`)));
  await harness.advance(50);
  expect(subscribeResults(peer).filter(({ ok }) => ok)).toHaveLength(2);
  expect(subscribed).toBe(0);
});

test("[RV21] a message that names a channel 200 times is answered with less than 100 times its own length", async () => {
  const { harness, server } = historyServer();
  const peer = await harness.connect();
  await peer.send(subscribe("log:a"));
  await harness.advance(50);
  const { position } = subscribeResults(peer)[0]!;
  for (let index = 0; index < 20; index++) void server.channel("log", "a").publish("line", "x".repeat(10_000));
  await harness.advance(1_000);
  const back = await harness.connect();
  const message = subscribe(...Array.from({ length: 200 }, () => ({ channel: "log:a", position })));
  await back.send(message);
  await harness.advance(60_000);
  const answered = JSON.stringify(subscribeResults(back)).length;
  expect(answered / JSON.stringify(message).length).toBeLessThan(100);
});

test("[RV6] a client that is far behind receives every event, even if another client that is less behind is answered first", async () => {
  const { harness, server, link, environment } = historyServer();
  for (let index = 0; index < 40; index++) void server.channel("log", "a").publish("line", `${index}`);
  await harness.advance(1_000);
  const chain = await Promise.all([
    link.read("log:a", { log: { after: 0, most: 100 }, ttlMs: 1_000 }),
    harness.advance(100),
  ]).then(([reading]) => reading);
  const at = (offset: number) => ({
    channel: "log:a",
    position: { epoch: chain.position.epoch, offset, id: chain.events[offset - 1]!.link!.id },
  });
  const peers = [await harness.connect(), await harness.connect(), await harness.connect()];
  // The first client opens the channel and needs no older events. The others subscribe while the
  // instance reads the history.
  peers[0]!.socket.send(JSON.stringify(subscribe("log:a")));
  await harness.settle();
  environment.runNext(environment.monotonic() + 1);
  peers[1]!.socket.send(JSON.stringify(subscribe(at(10))));
  await harness.settle();
  environment.runNext(environment.monotonic() + 1);
  peers[2]!.socket.send(JSON.stringify(subscribe(at(30))));
  await harness.advance(1_000);
  expect(peers.slice(1).map((peer) => subscribeResults(peer)[0]?.missed?.length)).toEqual([30, 10]);
});
