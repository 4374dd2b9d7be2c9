import { describe, expect, test } from "vitest";
import { countingEnvironment, outcome, recordingLogger, RedisHarness } from "../support/redis-harness.js";
import { until } from "../support/until.js";
import { all, log, newId, type Participant, works, hears } from "../support/broker-participant.js";

/**
 * Redis is killed, restarted or stopped while an instance works, subscribes or closes.
 * Each test has its own Redis. The tests mostly wait, so they run concurrently.
 */
describe.concurrent("redisBroker while Redis cannot be reached", () => {
  test("[BR30] while Redis is down, calls reject within 1 s and later calls within 50 ms; within 5 s after Redis is back, everything works", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis();
    const logger = recordingLogger();
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
      // The first calls wait briefly, because the connection may return at once.
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
    // A refused call is not carried out later.
    expect((await one.link.positions(["topic-4"]))[0]).toBeUndefined();
    expect(await server.say("PUBSUB", "NUMSUB", "{holdfast:contract:topic-4}:said")).toMatch(/:0$/);
    // One line for the outage, one for its end.
    expect(logger.lines.map(({ level }) => level)).toEqual(["warn", "info"]);
  });

  test("[BR31] after a restart of Redis with its data, the epoch, the offsets and the subscription continue", async (context) => {
    const world = new RedisHarness(context);
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

  test("[BR35] if Redis stops answering, calls reject within 1 s and later calls within 50 ms, and calls work again when Redis continues", async (context) => {
    const world = new RedisHarness(context);
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

  test("[BR43] `close` leaves no timer, connection or subscription, in each state of the link", async (context) => {
    const world = new RedisHarness(context);
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
      const environment = countingEnvironment();
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
