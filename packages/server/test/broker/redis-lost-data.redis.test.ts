import { describe, expect, test } from "vitest";
import { links } from "@holdfast/protocol/internal";
import { RedisHarness } from "../support/redis-harness.js";
import { until } from "../support/until.js";
import { all, log, newId, set, works } from "../support/broker-participant.js";

/**
 * Redis comes back with older data, without data, or with half of a topic.
 * Each test has its own Redis. The tests mostly wait, so they run concurrently.
 */
describe.concurrent("redisBroker when Redis loses data", () => {
  test("[BR32] after a roll-back the store assigns the same offsets of the same epoch again, with different ids", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis({ persist: true });
    const one = world.join(server);
    for (let index = 1; index <= 5; index++) await one.link.publish("news", newId(), `${index}`, { log });
    await server.save();
    const lost = await one.link.publish("news", newId(), "6, lost", { log });
    await one.link.publish("news", newId(), "7, lost", { log });
    await server.rollBack();
    await until(() => works(one));
    const again = await one.link.publish("news", newId(), "another 6", { log });
    const after = await one.link.publish("news", newId(), "another 7", { log });
    expect(again.position).toMatchObject({ epoch: lost.position!.epoch, offset: 6 });
    expect(again.position!.id).not.toBe(lost.position!.id);
    const { events, position } = await one.link.read("news", { log: { after: 6, most: 10 }, ttlMs: 1_000 });
    expect(position).toEqual(after.position);
    // By its offset, event 7 follows the lost event 6. By the id of its predecessor, event 7 does
    // not.
    expect(events[0]!.link!.offset).toBe(7);
    expect(links(lost.position!, events[0]!.link!)).toBe(false);
    expect(links(again.position!, events[0]!.link!)).toBe(true);
    await until(() => one.forgotten > 0);
  });

  test("[BR33] after FLUSHALL the topic has a new epoch, and `onForgotten` tells the instance that its entries are lost", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis();
    const one = world.join(server);
    const before = await one.link.publish("who", newId(), "", { log, table: set("ann", "1"), key: "k" });
    await until(() => one.link.isHealthy);
    await server.say("FLUSHALL");
    await until(() => one.forgotten > 0, 5_000);
    const reading = await one.link.read("who", { log: all, table: true, ttlMs: 1_000 });
    expect(reading.position).toMatchObject({ offset: 0, id: "" });
    expect(reading.position.epoch).not.toBe(before.position!.epoch);
    expect(reading.entries.size).toBe(0);
    const after = await one.link.publish("who", newId(), "", { log, table: set("ann", "1"), key: "k" });
    expect(after).toMatchObject({ outcome: "appended", position: { epoch: reading.position.epoch, offset: 1 } });
    expect(one.gone).toEqual([]);
  });

  test("[BR33] if Redis loses some keys of a topic, `read` returns no events of the old history", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis();
    const { link } = world.join(server);
    for (const body of ["1", "2", "3"]) await link.publish("news", newId(), body, { log, table: set("last", body) });
    await server.say("DEL", "{holdfast:contract:news}:meta");
    expect(await link.read("news", { log: all, table: true, ttlMs: 60_000 })).toMatchObject({
      position: { offset: 0 },
      events: [],
      entries: new Map(),
    });
    await link.publish("news", newId(), "new 1", { log });
    await server.say("HSET", "{holdfast:contract:news}:meta", "offset", "0", "id", "");
    expect((await link.publish("news", newId(), "again 1", { log })).position!.offset).toBe(1);
    const { events } = await link.read("news", { log: all, ttlMs: 1_000 });
    expect(events.map(({ body }) => body)).toEqual(["again 1"]);
    await server.say("DEL", "{holdfast:contract:news}:log");
    await link.publish("news", newId(), "2", { log });
    await server.say("HSET", "{holdfast:contract:news}:meta", "id", "another");
    expect((await link.read("news", { log: all, ttlMs: 1_000 })).events).toEqual([]);
  });
});
