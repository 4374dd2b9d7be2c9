import { describe, expect, test } from "vitest";
import type { ChaosConnection } from "../support/chaos-proxy.js";
import { outcome, recordingLogger, RedisHarness } from "../support/redis-harness.js";
import { until } from "../support/until.js";
import { all, log, newId, works, hears } from "../support/broker-participant.js";

/**
 * The connection that carries announcements (Redis pub/sub) breaks or goes silent, while commands
 * still work. Each test has its own Redis. The tests mostly wait, so they run concurrently.
 */
describe.concurrent("redisBroker when announcements are lost", () => {
  test("[BR34] if Redis closes the subscriber connection, 999 subscriptions are restored and `onDoubt` is called", async (context) => {
    const world = new RedisHarness(context);
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

  test("[BR34] publications during cuts of the subscriber connection are stored; none is delivered twice or out of order", async (context) => {
    const world = new RedisHarness(context);
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
    test(`[BR49] if connections are cut at random bytes, retries with a key are stored once and delivered in order, or onDoubt is called (seed ${seed})`, async (context) => {
      const world = new RedisHarness(context);
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

  test("[BR36] if announcements stop while commands work, the broker notices within 20 s and reconnects", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis();
    const proxy = await world.proxy({
      to: server.port,
      inspect(connection, direction, bytes) {
        if (direction === "up" && /\r\nsubscribe\r\n/i.test(bytes.toString("latin1"))) connection.name = "subscriber";
      },
    });
    const logger = recordingLogger();
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

  test("[BR36] while announcements stay blocked, `isHealthy` is false within 20 s, although commands work", async (context) => {
    const world = new RedisHarness(context);
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
    // New subscriptions are refused; existing subscriptions are kept.
    expect((await outcome(one.link.subscribe("more"))).code).toBe("UNAVAILABLE");
    expect((await outcome(one.link.subscribe("news"))).code).toBe("kept");
    const doubts = one.doubts;
    proxy.weather = {};
    await until(() => one.doubts > doubts && one.link.isHealthy, 5_000, "Health");
    await hears(one, "news");
    expect(await server.say("PUBSUB", "NUMSUB", "{holdfast:contract:more}:said")).toMatch(/:0$/);
  });

  test("[BR36] an idle link stays healthy for 22 s, because its probes are answered", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis();
    const logger = recordingLogger();
    const one = world.join(server, { logger });
    await one.link.subscribe("news");
    await until(() => one.link.isHealthy);
    const doubts = one.doubts;
    await new Promise((resolve) => setTimeout(resolve, 22_000));
    expect(one.link.isHealthy).toBe(true);
    expect(one.doubts).toBe(doubts);
    expect(logger.lines).toEqual([]);
  });
});
