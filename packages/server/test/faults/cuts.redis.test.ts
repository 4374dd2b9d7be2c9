import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { FaultWorld, scale } from "./fault-world.js";
import { reportFigures, percentile } from "../support/figures.js";

const wires = Array.from({ length: 10 }, (_, index) => `feed:${index}`);

test("[FT2] under load, clients whose connections are cut at any byte miss no event without a reset and get no event twice", async (context) => {
  const world = new FaultWorld(context);
  const redis = await world.redis();
  const servers = [await world.server(redis.port), await world.server(redis.port)];
  const proxies = await Promise.all(servers.map(({ port }, index) => world.proxy({ to: port, seed: index + 1 })));
  const clients = scale(30, 100);
  for (let index = 0; index < clients; index++) {
    const actor = world.actor(proxies[index % 2]!.port, { retry: { minMs: 200, maxMs: 1_000 } });
    actor.toggle(wires[index % 10]!);
    actor.toggle(wires[(index * 3 + 1) % 10]!);
  }
  await world.joined(wires);

  const wanted = scale(40, 200);
  let cuts = 0;
  const cutting = (async () => {
    while (cuts < wanted) {
      const proxy = proxies[cuts % 2]!;
      const open = [...proxy.connections].filter(({ bytes }) => bytes > 500);
      const chosen = open[Math.floor(proxy.random() * open.length)];
      // The cut is at any byte, so it may be inside a frame.
      if (chosen) {
        chosen.cutAt = chosen.bytes + 1 + Math.floor(proxy.random() * 400);
        cuts++;
      }
      await delay(scale(100, 150));
    }
  })();
  await world.traffic(servers, wires, { perSecond: 500, seconds: 120, until: () => cuts >= wanted });
  await cutting;
  await world.traffic(servers, wires, { perSecond: 500, seconds: 2 });
  await world.caughtUp(redis.port, wires, 10_000);

  expect(await world.verify(redis.port, wires)).toEqual([]);
  const resets = world.resets().length;
  reportFigures("T2", { clients, cuts, published: world.confirmed.length, heard: world.heard(), resets });
  expect(resets).toBeLessThanOrEqual(cuts * 0.01);
  expect(world.heard()).toBeGreaterThan(world.confirmed.length * 2);
  expect(world.refused).toEqual([]);
}, 180_000);

test("[FT3] after a slow and uneven network has stalled, clients receive events again within 3 s", async (context) => {
  const world = new FaultWorld(context);
  const redis = await world.redis();
  const servers = [await world.server(redis.port)];
  const weather = { delayMs: 50, jitterMs: 20, slice: 1_000 };
  const proxy = await world.proxy({ to: servers[0]!.port, weather });
  const some = wires.slice(0, 3);
  for (let index = 0; index < 20; index++) world.actor(proxy.port).toggle(some[index % 3]!);
  await world.joined(some);
  const seconds = scale(5, 30);
  const running = world.traffic(servers, some, { perSecond: 100, seconds: seconds + 4 });
  await delay(2_000);
  proxy.blackhole();
  proxy.weather = { blackhole: true };
  await delay(seconds * 1_000);
  proxy.pass();
  proxy.weather = weather;
  const healedAt = performance.now();
  await running;
  await world.caughtUp(redis.port, some, 10_000);
  expect(await world.verify(redis.port, some)).toEqual([]);
  const back = world.actors.map(({ seen }) => {
    const all = [...seen.values()].flat();
    return all.find(({ at }) => at > healedAt)!.at - healedAt;
  });
  const p99 = percentile(back, 0.99);
  reportFigures("T3", { seconds, clients: 20, backWithinMs: Math.round(p99), resets: world.resets().length });
  expect(p99).toBeLessThan(3_000);
}, 120_000);

test("[FT7] if two instances publish on one channel at once, all clients receive all events in the same order", async (context) => {
  const world = new FaultWorld(context);
  const redis = await world.redis();
  const servers = [await world.server(redis.port), await world.server(redis.port)];
  for (let index = 0; index < 6; index++) world.actor(servers[index % 2]!.port).toggle("feed:0");
  await world.joined(["feed:0"]);
  const total = scale(4_000, 20_000);
  const pending = new Set<Promise<unknown>>();
  for (let count = 0; count < total; count++) {
    const publishing = world.publish(servers[count % 2]!, "feed:0");
    pending.add(publishing);
    void publishing.finally(() => pending.delete(publishing));
    if (pending.size > 200) await Promise.race(pending);
  }
  await Promise.all(pending);
  await world.caughtUp(redis.port, ["feed:0"], 10_000);
  expect(await world.verify(redis.port, ["feed:0"])).toEqual([]);
  const orders = world.actors.map(({ seen }) =>
    seen.get("feed:0")!.flatMap((one) => ("number" in one ? one.number : [])),
  );
  expect(orders[0]).toHaveLength(total);
  for (const order of orders) expect(order).toEqual(orders[0]);
  reportFigures("T7", { published: total, clients: 6, resets: world.resets().length });
}, 120_000);
