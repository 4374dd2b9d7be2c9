import { links } from "@holdfast/protocol/internal";
import { readFile } from "node:fs/promises";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import type { ChaosConnection } from "../support/chaos-proxy.js";
import { freePort } from "../support/redis-server.js";
import {
  countingEnvironment as counting,
  outcome,
  recordingLogger as recording,
  RedisHarness as RedisWorld,
} from "../support/redis-harness.js";
import { until } from "../support/until.js";
import { all, log, newId, type Participant, set } from "./broker-contract.js";

/** Each test has a Redis of its own; most of its time is waiting, so they run at the same time. */

const works = ({ link }: Participant): Promise<boolean> =>
  link.publish("works", newId(), "", { log }).then(
    () => true,
    () => false,
  );

/** Publishes until it is heard, so that what was lost on the way does not matter. */
async function hears(one: Participant, topic: string): Promise<void> {
  const before = one.on(topic).length;
  await until(async () => {
    await one.link.publish(topic, newId(), "heard?", { log }).catch(() => {});
    return one.on(topic).length > before;
  });
}

describe.concurrent("redisBroker when things go wrong", () => {
  test("[BR30] while Redis is down everything is refused within a second, later calls at once; 5 s after its return all is well", async (context) => {
    const world = new RedisWorld(context);
    const server = await world.redis();
    const logger = recording();
    const one = world.join(server, { logger });
    await one.link.subscribe("news");
    await until(() => one.link.isHealthy);
    const underWay = Array.from({ length: 50 }, () => outcome(one.link.publish("news", newId(), "", { log })));
    await server.kill();
    for (const { ms } of await Promise.all(underWay)) expect(ms).toBeLessThan(1_000);
    const doubts = one.doubts;
    const downUntil = performance.now() + 5_000;
    let refused = 0;
    while (performance.now() < downUntil) {
      const { code, ms } = await outcome(
        [
          () => one.link.publish("news", newId(), "", { log }),
          () => one.link.publish("news", newId(), ""),
          () => one.link.read("news", { ttlMs: 1_000 }),
          () => one.link.positions(["news"]),
          () => one.link.subscribe(`topic-${refused}`),
          () => one.link.instances(),
        ][refused++ % 6]!(),
      );
      expect(code).toBe("UNAVAILABLE");
      // The first ones wait a moment for a connection that may be back at once.
      expect(ms).toBeLessThan(refused < 5 ? 1_000 : 50);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(refused).toBeGreaterThan(200);
    expect(one.link.isHealthy).toBe(false);
    await server.start();
    const backAt = performance.now();
    await until(() => works(one));
    await hears(one, "news");
    await until(() => one.link.isHealthy && one.doubts > doubts);
    expect(performance.now() - backAt).toBeLessThan(5_000);
    // What was refused is not done later.
    expect((await one.link.positions(["topic-4"]))[0]).toBeUndefined();
    expect(await server.say("PUBSUB", "NUMSUB", "{holdfast:contract:topic-4}:said")).toMatch(/:0$/);
    // One line when it went, one when it came.
    expect(logger.lines.map(({ level }) => level)).toEqual(["warn", "info"]);
  });

  test("[BR31] Redis that is killed and comes back with its data is continued: the same epoch, the next place, the subscription", async (context) => {
    const world = new RedisWorld(context);
    const server = await world.redis({ persist: true });
    const one = world.join(server);
    await one.link.subscribe("news");
    const { position } = await one.link.publish("news", newId(), "before", { log });
    await server.save();
    await server.restart();
    await until(() => works(one));
    const next = await one.link.publish("news", newId(), "after", { log });
    expect(next.position).toMatchObject({ epoch: position!.epoch, offset: 2 });
    const { events } = await one.link.read("news", { log: all, ttlMs: 1_000 });
    expect(events.map(({ body }) => body)).toEqual(["before", "after"]);
    await hears(one, "news");
    await until(() => one.doubts > 0);
  });

  test("[BR32] a store that was set back issues the same places again under the same epoch, and the ids tell", async (context) => {
    const world = new RedisWorld(context);
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
    // Whoever stands at the lost one is next to it by number, and not linked.
    expect(events[0]!.link!.offset).toBe(7);
    expect(links(lost.position!, events[0]!.link!)).toBe(false);
    expect(links(again.position!, events[0]!.link!)).toBe(true);
    await until(() => one.forgotten > 0);
  });

  test("[BR33] an emptied store begins another epoch, and instances hear that what they put there is gone", async (context) => {
    const world = new RedisWorld(context);
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

  test("[BR33] half of a topic that is gone leaves no wrong history behind", async (context) => {
    const world = new RedisWorld(context);
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

  test("[BR34] subscriptions whose connection Redis closes are back by themselves, and in doubt", async (context) => {
    const world = new RedisWorld(context);
    const server = await world.redis();
    const [one, two] = [world.join(server), world.join(server)];
    const topics = Array.from({ length: 1_000 }, (_, index) => `topic-${index}`);
    await Promise.all(topics.map((topic) => one.link.subscribe(topic)));
    one.link.unsubscribe("topic-7");
    for (let kill = 1; kill <= 3; kill++) {
      const doubts = one.doubts;
      await server.say("CLIENT", "KILL", "TYPE", "pubsub");
      await until(() => one.doubts > doubts, 5_000);
      await Promise.all(topics.map((topic) => two.link.publish(topic, newId(), `after ${kill}`)));
      await until(() => one.heard.length === kill * 999);
    }
    expect(one.on("topic-7")).toEqual([]);
    expect(one.link.isHealthy).toBe(true);
  });

  test("[BR34] what is published while a subscription is cut is stored, and in doubt rather than heard twice or out of order", async (context) => {
    const world = new RedisWorld(context);
    const server = await world.redis();
    const [one, two] = [world.join(server), world.join(server)];
    await one.link.subscribe("news");
    let published = 0;
    for (let cut = 0; cut < 20; cut++) {
      await server.say("CLIENT", "KILL", "TYPE", "pubsub");
      for (let index = 0; index < 50; index++) {
        await two.link.publish("news", newId(), `${++published}`, { log: { size: 2_000, ttlMs: 60_000 } });
      }
    }
    await until(() => one.link.isHealthy);
    const { events } = await two.link.read("news", { log: all, ttlMs: 1_000 });
    expect(events).toHaveLength(published);
    const offsets = one.on("news").map(({ link }) => link!.offset);
    expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b));
    expect(one.doubts).toBeGreaterThan(0);
  });

  for (const seed of [1, 2, 3])
    test(`[BR49] through a network that cuts at random bytes, what is repeated with its key is stored once, and heard in order or doubted (seed ${seed})`, async (context) => {
      const world = new RedisWorld(context);
      const server = await world.redis();
      const proxy = await world.proxy({ to: server.port, seed, weather: { cutWithin: 40_000, slice: 700 } });
      const [one, two] = [world.join(proxy), world.join(server)];
      const keep = async (attempt: () => Promise<unknown>): Promise<void> =>
        until(() =>
          attempt().then(
            () => true,
            (error: { code: string }) => {
              expect(error.code).toBe("UNAVAILABLE");
              return false;
            },
          ),
        );
      await keep(() => one.link.subscribe("news"));
      const doubts = one.doubts;
      const bodies = Array.from({ length: 200 }, (_, index) => `${index} ${"x".repeat(100)}`);
      const options = { log: { size: 1_000, ttlMs: 60_000 } };
      for (const [index, body] of bodies.entries())
        await keep(() => one.link.publish("news", newId(), body, { ...options, key: `key ${index}` }));
      expect(proxy.accepted).toBeGreaterThan(4);
      const { events } = await two.link.read("news", { log: all, ttlMs: 1_000 });
      expect(events.map(({ body }) => body)).toEqual(bodies);
      for (const [index, event] of events.entries())
        if (index > 0) expect(event.link!.prev).toBe(events[index - 1]!.link!.id);
      const heard = one.on("news");
      const offsets = heard.map(({ link }) => link!.offset);
      expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b));
      for (const publication of heard) expect(publication).toEqual(events[publication.link!.offset - 1]);
      if (heard.length < events.length) await until(() => one.doubts > doubts);
    });

  test("[BR35] Redis that stops answering is refused within a second and then at once, and used again when it goes on", async (context) => {
    const world = new RedisWorld(context);
    const server = await world.redis();
    const one = world.join(server);
    await one.link.subscribe("news");
    await until(() => one.link.isHealthy);
    server.stop();
    context.onTestFinished(() => server.cont());
    const first = await Promise.all(
      [
        one.link.publish("news", newId(), "", { log }),
        one.link.subscribe("another"),
        one.link.read("news", { ttlMs: 1_000 }),
      ].map(outcome),
    );
    for (const { code, ms } of first) {
      expect(code).toBe("UNAVAILABLE");
      expect(ms).toBeLessThan(1_000);
    }
    expect(one.link.isHealthy).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const later = await outcome(one.link.publish("news", newId(), "", { log }));
    expect(later.code).toBe("UNAVAILABLE");
    expect(later.ms).toBeLessThan(50);
    server.cont();
    const backAt = performance.now();
    await until(() => works(one));
    await hears(one, "news");
    expect(performance.now() - backAt).toBeLessThan(5_000);
    expect(one.doubts).toBeGreaterThan(0);
  });

  test("[BR36] a connection on which announcements no longer come, though commands work, is noticed within 20 s and made anew", async (context) => {
    const world = new RedisWorld(context);
    const server = await world.redis();
    const proxy = await world.proxy({
      to: server.port,
      inspect(connection, direction, bytes) {
        if (direction === "up" && /\r\nsubscribe\r\n/i.test(bytes.toString("latin1"))) connection.name = "subscriber";
      },
    });
    const logger = recording();
    const one = world.join(proxy, { logger });
    await one.link.subscribe("news");
    await until(() => one.link.isHealthy);
    const isSubscriber = ({ name }: ChaosConnection): boolean => name === "subscriber";
    expect([...proxy.connections].filter(isSubscriber)).toHaveLength(1);
    const doubts = one.doubts;
    proxy.blackhole(isSubscriber);
    const lostAt = performance.now();
    const lost = await one.link.publish("news", newId(), "lost on its way", { log });
    expect(lost.outcome).toBe("appended");
    await until(() => one.doubts > doubts, 20_000);
    expect(performance.now() - lostAt).toBeLessThan(20_000);
    await one.link.publish("news", newId(), "heard again", { log });
    await until(() => one.on("news").length > 0);
    expect(one.on("news").map(({ body }) => body)).toEqual(["heard again"]);
    expect(logger.lines[0]).toMatchObject({ level: "warn", fields: { reason: expect.any(String) as string } });
  });

  test("[BR36] while announcements cannot come through at all, the link is not healthy after 20 s, though commands work", async (context) => {
    const world = new RedisWorld(context);
    const server = await world.redis();
    const proxy = await world.proxy({
      to: server.port,
      inspect(connection, direction, bytes) {
        if (direction === "up" && /\r\nsubscribe\r\n/i.test(bytes.toString("latin1"))) connection.name = "subscriber";
      },
    });
    const one = world.join(proxy);
    await one.link.subscribe("news");
    await until(() => one.link.isHealthy);
    proxy.weather = { blackhole: true };
    proxy.blackhole(({ name }) => name === "subscriber");
    const lostAt = performance.now();
    await until(() => !one.link.isHealthy, 20_000, "Ill health");
    expect(performance.now() - lostAt).toBeLessThan(20_000);
    expect(await works(one)).toBe(true);
    // New subscriptions are refused, those there were are kept.
    expect((await outcome(one.link.subscribe("more"))).code).toBe("UNAVAILABLE");
    expect((await outcome(one.link.subscribe("news"))).code).toBe("kept");
    const doubts = one.doubts;
    proxy.weather = {};
    await until(() => one.doubts > doubts && one.link.isHealthy, 5_000, "Health");
    await hears(one, "news");
    expect(await server.say("PUBSUB", "NUMSUB", "{holdfast:contract:more}:said")).toMatch(/:0$/);
  });

  test("[BR36] a link on which nothing is said stays as it is: its probes are answered", async (context) => {
    const world = new RedisWorld(context);
    const server = await world.redis();
    const logger = recording();
    const one = world.join(server, { logger });
    await one.link.subscribe("news");
    await until(() => one.link.isHealthy);
    const doubts = one.doubts;
    await new Promise((resolve) => setTimeout(resolve, 22_000));
    expect(one.link.isHealthy).toBe(true);
    expect(one.doubts).toBe(doubts);
    expect(logger.lines).toEqual([]);
  });

  test("[BR37] scripts that Redis has forgotten are sent again", async (context) => {
    const world = new RedisWorld(context);
    const server = await world.redis();
    const one = world.join(server);
    await one.link.publish("news", newId(), "1", { log });
    await server.say("SCRIPT", "FLUSH");
    const many = await Promise.all(
      Array.from({ length: 20 }, () => one.link.publish("news", newId(), "again", { log })),
    );
    expect(many.map(({ position }) => position!.offset)).toEqual(Array.from({ length: 20 }, (_, index) => index + 2));
    expect(one.doubts).toBe(0);
  });

  test("[BR38] a replica is not written to: calls are refused until it is promoted, which is noticed", async (context) => {
    const world = new RedisWorld(context);
    const primary = await world.redis();
    const replica = await world.redis({ replicaOf: primary.port });
    await until(async () => (await replica.say("INFO", "replication")).includes("master_link_status:up"));
    const one = world.join(replica);
    const refused = await one.link.publish("news", newId(), "", { log }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "UNAVAILABLE" });
    expect(one.link.isHealthy).toBe(false);
    await replica.say("REPLICAOF", "NO", "ONE");
    await until(() => works(one), 5_000);
    // And the other way round: a primary that finds itself a replica.
    await one.link.subscribe("news");
    await replica.say("REPLICAOF", "127.0.0.1", primary.port);
    await until(async () => !(await works(one)), 5_000);
    await replica.say("REPLICAOF", "NO", "ONE");
    await until(() => works(one), 5_000);
    await hears(one, "news");
    await until(() => one.forgotten > 0);
  });

  test("[BR39] what others put under its keys, or announce on its channels, is refused or ignored, and harms nothing", async (context) => {
    const world = new RedisWorld(context);
    const server = await world.redis();
    const logger = recording();
    const one = world.join(server, { logger });
    await Promise.all(["good", "bad", "worse", "worst"].map((topic) => one.link.subscribe(topic)));
    await server.say("SET", "{holdfast:contract:bad}:meta", "not a hash");
    await server.say("HSET", "{holdfast:contract:worst}:meta", "epoch", "e", "offset", "many", "id", "x");
    await server.say("XADD", "{holdfast:contract:worst}:log", "5-0", "what", "ever");
    const unavailable = { code: "UNAVAILABLE", remedy: expect.any(String) };
    await expect(one.link.publish("bad", newId(), "", { log })).rejects.toMatchObject(unavailable);
    await expect(one.link.read("bad", { log: all, ttlMs: 1 })).rejects.toMatchObject(unavailable);
    await one.link.publish("worse", newId(), "", { log });
    await server.say("DEL", "{holdfast:contract:worse}:log");
    await server.say("SET", "{holdfast:contract:worse}:log", "not a stream");
    expect((await one.link.positions(["bad", "worse"])).map((position) => position?.offset)).toEqual([undefined, 1]);
    await expect(one.link.read("worse", { log: all, ttlMs: 1 })).rejects.toMatchObject(unavailable);
    expect((await one.link.publish("worse", newId(), "replaced", { log })).outcome).toBe("appended");
    expect((await one.link.read("worst", { log: all, table: true, ttlMs: 1_000 })).events).toEqual([]);
    await one.link.publish("worst", newId(), "goes on", { log });
    const garbage = ["", "x", "{}", "1:2:3", "1:99999:0:0:a", "1:5:0:0:ab", "9:1:1:9:abnotjson", "1:1:0:4:a{},{"];
    const numbers = ["99999999999999999999:1:1:0:abc", "-1:1:1:0:abc", "1.5:1:1:0:abc", "9007199254740993:1:1:0:abc"];
    for (const text of [...garbage, ...numbers]) await server.say("PUBLISH", "{holdfast:contract:good}:said", text);
    await one.link.publish("good", newId(), "good", { log });
    await until(() => one.on("good").length > 0);
    expect(one.on("good").map(({ body }) => body)).toEqual(["good"]);
    // Once, however much of it comes.
    expect(logger.lines).toHaveLength(1);
    expect(logger.lines[0]).toMatchObject({ level: "warn", fields: { topic: "good" } });
    expect(one.link.isHealthy).toBe(true);
  });

  test("[BR40] brokers with different prefixes neither hear nor see each other", async (context) => {
    const world = new RedisWorld(context);
    const server = await world.redis();
    const one = world.join({ url: server.url, prefix: "one" });
    const two = world.join({ url: server.url, prefix: "two" });
    const like = world.join({ url: server.url, prefix: "one:a" });
    for (const { link } of [one, two, like]) await link.subscribe("a:b");
    await like.link.subscribe("b");
    await one.link.publish("a:b", newId(), "one's", { log, table: set("f", "1") });
    await two.link.publish("a:b", newId(), "two's");
    await until(() => one.heard.length === 1 && two.heard.length === 1);
    expect(one.on("a:b")[0]!.body).toBe("one's");
    expect(two.on("a:b")[0]!.body).toBe("two's");
    expect((await two.link.read("a:b", { log: all, table: true, ttlMs: 1_000 })).entries.size).toBe(0);
    expect(await one.link.instances()).toEqual(new Set([one.id]));
  });

  test("[BR46] what Redis refuses is refused with what to do about it, and no password is told", async (context) => {
    const world = new RedisWorld(context);
    const server = await world.redis({ args: ["--requirepass", "secret-word"] });
    const logger = recording();
    const refusalOf = async (one: Participant): Promise<{ code: string; message: string; remedy: string }> => {
      const refused = await one.link
        .publish("news", newId(), "x".repeat(1_000), { log })
        .catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: "UNAVAILABLE" });
      return refused as { code: string; message: string; remedy: string };
    };
    const wrong = world.join({ url: `redis://:wrong-word@127.0.0.1:${server.port}` }, { logger });
    expect((await refusalOf(wrong)).message).toMatch(/WRONGPASS/);
    const without = world.join(server, { logger });
    expect((await refusalOf(without)).message).toMatch(/NOAUTH/);
    expect(logger.lines).toHaveLength(2);
    expect(JSON.stringify(logger.lines)).not.toMatch(/-word/);

    const one = world.join({ url: `redis://:secret-word@127.0.0.1:${server.port}` });
    expect(await works(one)).toBe(true);
    const other = await world.redis();
    const two = world.join(other);
    expect(await works(two)).toBe(true);
    await other.say("CONFIG", "SET", "min-replicas-to-write", 1);
    expect((await refusalOf(two)).remedy).toMatch(/min-replicas-to-write/);
    await other.say("CONFIG", "SET", "min-replicas-to-write", 0);
    await other.say("CONFIG", "SET", "maxmemory", 1);
    expect((await refusalOf(two)).remedy).toMatch(/maxmemory/);
    await other.say("CONFIG", "SET", "maxmemory", 0);
    expect(await works(two)).toBe(true);
    const cluster = await world.redis({ args: ["--cluster-enabled", "yes", "--cluster-port", `${await freePort()}`] });
    const three = world.join(cluster);
    expect((await refusalOf(three)).message).toMatch(/CLUSTERDOWN/);
  });

  test("[BR47] a client that is handed in stays the application's: its prefix is not taken over, and it is not closed", async (context) => {
    const world = new RedisWorld(context);
    const server = await world.redis();
    const client = new Redis(server.port, "127.0.0.1", { keyPrefix: "app:", enableAutoPipelining: true, db: 3 });
    world.endsWith(async () => client.disconnect());
    const one = world.join({ client });
    await one.link.subscribe("news");
    await one.link.publish("news", newId(), "", { log });
    await until(() => one.heard.length === 1);
    // Its database is: that is part of where it connects to.
    const same = client.duplicate({ keyPrefix: "" });
    expect(await same.exists("{holdfast:contract:news}:meta")).toBe(1);
    same.disconnect();
    await one.link.close();
    expect(await client.ping()).toBe("PONG");
    await until(async () => (await server.clients()) === 1, 5_000, "The end of the broker's connections");
  });

  test("[BR48] the ACL that the documentation names is enough", async (context) => {
    const world = new RedisWorld(context);
    const server = await world.redis();
    const source = await readFile(new URL("../../src/redis.ts", import.meta.url), "utf8");
    const rules = [...source.replaceAll("\n *", " ").matchAll(/`([~&+][^`]+)`/g)].flatMap(([, rule]) =>
      rule!.split(/\s+/),
    );
    expect(rules).toContain("+@scripting");
    const created = await server.say(
      "ACL",
      "SETUSER",
      "holdfast",
      "on",
      ">pass",
      "resetkeys",
      "resetchannels",
      ...rules,
    );
    expect(created).toBe("OK");
    const logger = recording();
    const one = world.join({ url: `redis://holdfast:pass@127.0.0.1:${server.port}` }, { logger });
    await one.link.subscribe("a}b");
    await one.link.publish("a}b", newId(), "", { log, table: set("f", "1"), key: "k" });
    await one.link.publish("a}b", newId(), "plain");
    await one.link.read("a}b", { log: all, table: true, ttlMs: 1_000 });
    await one.link.positions(["a}b"]);
    await until(() => one.heard.length === 2 && one.link.isHealthy);
    expect(await one.link.instances()).toEqual(new Set([one.id]));
    expect(await server.say("ACL", "LOG")).toBe("*0");
    expect(logger.lines).toEqual([]);
  });

  test("[BR43] after close there is no timer, no connection and no subscription left, in whatever state it was", async (context) => {
    const world = new RedisWorld(context);
    const server = await world.redis();
    const states: [string, (one: Participant) => Promise<unknown>][] = [
      ["just joined", async () => {}],
      [
        "at work",
        async (one) => {
          await until(() => one.link.isHealthy);
          expect(await server.clients()).toBe(1);
        },
      ],
      ["subscribed", async (one) => one.link.subscribe("news")],
      ["down", async () => server.kill()],
      ["stopped", async () => (await server.start(), server.stop())],
    ];
    for (const [state, reach] of states) {
      const environment = counting();
      const one = world.join(server, { environment });
      await reach(one);
      const underWay = [one.link.publish("news", newId(), "", { log }), one.link.subscribe("more")].map(outcome);
      const { ms } = await outcome(one.link.close());
      expect(ms, state).toBeLessThan(1_500);
      for (const { code } of await Promise.all(underWay)) expect(["kept", "UNAVAILABLE"]).toContain(code);
      expect(environment.timers(), state).toBe(0);
      const told = [one.heard.length, one.doubts, one.forgotten, one.gone.length];
      if (state === "stopped") server.cont();
      if (state !== "down") {
        await until(async () => (await server.clients()) === 0, 5_000, `The end of the connections (${state})`);
        expect(await server.say("EXISTS", "{holdfast:contract}:beats"), state).toBe("0");
      }
      expect([one.heard.length, one.doubts, one.forgotten, one.gone.length]).toEqual(told);
    }
  });
});
