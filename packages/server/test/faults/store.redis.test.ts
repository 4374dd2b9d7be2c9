import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { seededRandom } from "../support/seeded-random.js";
import { until } from "../support/until.js";
import { FaultWorld, scale } from "./fault-world.js";
import { reportFigures } from "../support/figures.js";

const wire = "feed:a";
const quick = { retry: { minMs: 50, maxMs: 500 } };

test("[FT5] after a roll-back of Redis, every affected client gets a reset, connected or not, and none diverges silently", async (context) => {
  const world = new FaultWorld(context);
  const redis = await world.redis({ persist: true });
  const servers = [await world.server(redis.port), await world.server(redis.port)];
  for (let index = 0; index < 6; index++) world.actor(servers[index % 2]!.port, quick).toggle(wire);
  await world.joined([wire]);
  const random = seededRandom(5);
  const rounds = scale(5, 50);
  let affected = 0;
  for (let round = 0; round < rounds; round++) {
    for (let count = 0; count < 3; count++) await world.publish(servers[count % 2]!, wire);
    await world.caughtUp(redis.port, [wire], 5_000);
    await redis.save();
    const lost = 3 + Math.floor(random() * 6);
    for (let count = 0; count < lost; count++) await world.publish(servers[count % 2]!, wire);
    await world.caughtUp(redis.port, [wire], 5_000);
    const before = world.resets().length;
    // Every third client is disconnected during the roll-back and returns to offsets that it knows.
    const away = world.actors.filter((_, index) => index % 3 === 0);
    for (const { client } of away) client.disconnect();
    await redis.rollBack();
    affected += world.actors.length;
    // Confirmed events that the roll-back lost are not counted as broken promises.
    world.confirmed.length = 0;
    await until(() => servers.every(({ server }) => server.isReady), 10_000, "Redis' return");
    for (let count = 0; count < lost + 2; count++) await world.publish(servers[count % 2]!, wire);
    for (const { client } of away) client.connect();
    const told = (): number => world.resets().length - before;
    await until(() => told() >= world.actors.length, 20_000).catch(() => undefined);
    expect(told(), `round ${round}`).toBe(world.actors.length);
    await world.publish(servers[0]!, wire);
    await world.caughtUp(redis.port, [wire], 10_000);
  }
  expect(await world.verify(redis.port, [wire])).toEqual([]);
  const reasons = new Set(world.resets().map(({ reason }) => reason));
  reportFigures("T5", { rollBacks: rounds, affected, resets: world.resets().length, reasons: [...reasons].join(" ") });
  expect([...reasons]).toEqual(["fork"]);
}, 300_000);

test("[FT6] if a lagging replica is promoted while the old primary continues, no client diverges silently and one history remains", async (context) => {
  const world = new FaultWorld(context);
  const rounds = scale(1, 5);
  let resets = 0;
  let discarded = 0;
  for (let round = 0; round < rounds; round++) {
    const primary = await world.redis();
    const replication = await world.proxy({ to: primary.port });
    const replica = await world.redis({ replicaOf: replication.port });
    const links = [await world.proxy({ to: primary.port }), await world.proxy({ to: primary.port })] as const;
    const servers = [await world.server(links[0].port), await world.server(links[1].port)] as const;
    const key = `feed:r${round}`;
    const first = world.actors.length;
    for (let index = 0; index < 4; index++) world.actor(servers[index % 2]!.port, quick).toggle(key);
    await world.joined([key]);
    for (let count = 0; count < 6; count++) await world.publish(servers[count % 2]!, key);
    await world.caughtUp(primary.port, [key], 5_000);
    await until(async () => (await replica.say("WAIT", 0, 0)) !== "" && (await sameTop(primary, replica, key)), 10_000);

    // The replica receives nothing from here on. Then it becomes the primary. One instance follows
    // the promotion, the other does not.
    replication.blackhole();
    for (let count = 0; count < 3; count++) await world.publish(servers[count % 2]!, key);
    await replica.say("REPLICAOF", "NO", "ONE");
    links[1].to = replica.port;
    links[1].cut();
    await until(() => servers[1].server.isReady, 10_000, "The new primary");
    await world.readStore(primary.port, key);
    const split = performance.now();
    for (let count = 0; count < 5; count++)
      await Promise.all([world.publish(servers[0], key), world.publish(servers[1], key)]);
    discarded += 5;
    await world.readStore(primary.port, key);
    await world.readStore(replica.port, key);
    // The other instance loses the old primary as well, within 10 s.
    await delay(500);
    links[0].to = replica.port;
    links[0].cut();
    await primary.kill();
    await until(() => servers[0].server.isReady, 10_000, "The new primary, for all");
    for (let count = 0; count < 4; count++) await world.publish(servers[count % 2]!, key);
    world.confirmed.length = 0;
    await world.caughtUp(replica.port, [key], 10_000);
    expect(performance.now() - split).toBeLessThan(10_000);
    expect(await world.verify(replica.port, [key])).toEqual([]);
    const here = world.actors.slice(first);
    for (const actor of here) {
      const told = actor.seen.get(key)!.filter(({ kind }) => kind === "reset");
      expect(told.length, actor.name).toBeGreaterThan(0);
      resets += told.length;
      actor.toggle(key);
    }
  }
  reportFigures("T6", { promotions: rounds, discarded, resets });
}, 180_000);

async function sameTop(
  one: { say(...words: string[]): Promise<string> },
  other: { say(...words: string[]): Promise<string> },
  topic: string,
): Promise<boolean> {
  const meta = `{holdfast:numbers:${topic}}:meta`;
  const [a, b] = await Promise.all([one.say("HGET", meta, "offset"), other.say("HGET", meta, "offset")]);
  return a !== "" && a === b;
}

test("[FT8] at 500 events per second (2,000 in the long form), clients that join and return miss no event without a reset and get no event twice", async (context) => {
  const world = new FaultWorld(context);
  const redis = await world.redis();
  const servers = [await world.server(redis.port), await world.server(redis.port)];
  const joins = scale(100, 1_000);
  let ended = false;
  const publishing = world.traffic(servers, [wire], { perSecond: scale(500, 2_000), seconds: 300, until: () => ended });
  let made = 0;
  const visitor = async (index: number): Promise<void> => {
    const actor = world.actor(servers[index % 2]!.port, { retry: { minMs: 20, maxMs: 100 } });
    actor.toggle(wire);
    const hear = async (): Promise<void> => {
      const heard = (): number => (actor.seen.get(wire) ?? []).length;
      const before = heard();
      await until(() => heard() > before + 2, 20_000, "Hearing events");
    };
    for (let visit = 0; made < joins; visit++) {
      made++;
      await hear();
      // Some clients leave and subscribe anew; others only disconnect and resume from their
      // position.
      if (visit % 3 === 0) {
        actor.toggle(wire);
        actor.toggle(wire);
      } else {
        actor.client.disconnect();
        await delay(visit % 2 === 0 ? 0 : 20);
        actor.client.connect();
      }
    }
    // A client that subscribes after the last event would receive nothing.
    await hear();
  };
  await Promise.all(Array.from({ length: 10 }, (_, index) => visitor(index)));
  ended = true;
  await publishing;
  await world.caughtUp(redis.port, [wire], 20_000);
  expect(await world.verify(redis.port, [wire])).toEqual([]);
  reportFigures("T8", {
    joins: made,
    published: world.confirmed.length,
    heard: world.heard(),
    resets: world.resets().length,
  });
  // At this rate 256 KiB are published in less than a second. A client that returns later gets a
  // reset.
  expect(world.resets().filter(({ reason }) => reason !== "too_many")).toEqual([]);
  expect(world.resets().length).toBeLessThan(made * 0.05);
}, 300_000);
