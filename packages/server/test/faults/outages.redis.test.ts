import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { until } from "../support/until.js";
import { FaultWorld, scale } from "./fault-world.js";
import { reportFigures } from "../support/figures.js";

const wires = ["feed:a", "feed:b", "feed:c"];

test("[FT9] if pub/sub is killed, or silent while commands work, instances notice within 20 s and no event is lost", async (context) => {
  const world = new FaultWorld(context);
  const redis = await world.redis();
  const proxy = await world.proxy({
    to: redis.port,
    inspect: (connection, direction, bytes) => {
      if (direction === "up" && /\bS?SUBSCRIBE\b/i.test(bytes.toString("latin1"))) connection.name = "subscriber";
    },
  });
  const servers = [await world.server(proxy.port), await world.server(redis.port)] as const;
  for (let index = 0; index < 6; index++) world.actor(servers[0].port).toggle(wires[index % 3]!);
  await world.joined(wires);
  let kills = 0;
  const killing = (async () => {
    for (; kills < scale(3, 20); kills++) {
      await delay(500);
      await redis.say("CLIENT", "KILL", "TYPE", "pubsub");
    }
  })();
  await world.traffic(servers, wires, { perSecond: 300, seconds: scale(3, 15) });
  await killing;
  const caughtUpMs = await world.caughtUp(redis.port, wires, 20_000);
  expect(await world.verify(redis.port, wires)).toEqual([]);
  expect(world.resets()).toEqual([]);

  // Only announcements are dropped. No later event reveals that the last event of each channel is
  // missing.
  proxy.blackhole(({ name }) => name === "subscriber");
  const silentSince = performance.now();
  for (const wire of wires) await world.publish(servers[1], wire);
  let redAfterMs = Number.NaN;
  const watching = until(() => !servers[0].server.isReady, 20_000, "Noticing that pub/sub is silent").then(
    () => (redAfterMs = performance.now() - silentSince),
  );
  await world.caughtUp(redis.port, wires, 20_000);
  const heardAfterMs = performance.now() - silentSince;
  await watching;
  await until(() => servers[0].server.isReady, 10_000, "A new subscription");
  await world.publish(servers[1], wires[0]!);
  await world.caughtUp(redis.port, wires, 5_000);
  expect(await world.verify(redis.port, wires)).toEqual([]);
  expect(world.resets()).toEqual([]);
  const rounded = { caughtUpMs, heardAfterMs, redAfterMs };
  for (const [name, ms] of Object.entries(rounded)) expect(ms, name).toBeLessThan(20_000);
  reportFigures("T9", { kills, heardAfterMs: Math.round(heardAfterMs), redAfterMs: Math.round(redAfterMs) });
}, 120_000);

test.each(["killed", "stopped"] as const)(
  "[FT30] while Redis is %s, `publish` rejects within 1 s and clients stay connected; 5 s after Redis is back, all clients have caught up",
  async (how) => {
    const ends: (() => Promise<void>)[] = [];
    const world = new FaultWorld({ onTestFinished: (end) => void ends.push(end as () => Promise<void>) });
    try {
      const redis = await world.redis({ persist: true });
      const servers = [await world.server(redis.port), await world.server(redis.port)];
      for (let index = 0; index < 10; index++) world.actor(servers[index % 2]!.port).toggle(wires[index % 3]!);
      await world.joined(wires);
      await world.traffic(servers, wires, { perSecond: 200, seconds: 1 });
      await world.caughtUp(redis.port, wires, 5_000);
      await redis.say("SAVE");
      let lost = 0;
      for (const { client } of world.actors)
        client.status.subscribe((status) => void (status.name !== "ready" && lost++));

      if (how === "killed") await redis.kill();
      else redis.stop();
      await delay(50);
      const downSeconds = scale(3, 60);
      await world.traffic(servers, wires, { perSecond: 20, seconds: downSeconds });
      expect(world.refused.length).toBeGreaterThan(downSeconds * 10);
      expect(new Set(world.refused.map(({ code }) => code))).toEqual(new Set(["UNAVAILABLE"]));
      const slowest = Math.max(...world.refused.map(({ ms }) => ms));
      expect(slowest).toBeLessThan(1_000);

      const returnedAt = performance.now();
      if (how === "killed") await redis.start();
      else redis.cont();
      await until(() => servers.every(({ server }) => server.isReady), 5_000, "Being ready again");
      for (const wire of wires) await world.publish(servers[0]!, wire);
      await world.caughtUp(redis.port, wires, 5_000);
      const backMs = performance.now() - returnedAt;
      expect(backMs).toBeLessThan(5_000);
      expect(lost).toBe(0);
      expect(await world.verify(redis.port, wires)).toEqual([]);
      expect(world.resets()).toEqual([]);
      const refused = world.refused.length;
      reportFigures(`T30 ${how}`, { downSeconds, refused, slowestMs: Math.round(slowest), backMs: Math.round(backMs) });
    } finally {
      for (const end of ends) await end();
    }
  },
  180_000,
);
