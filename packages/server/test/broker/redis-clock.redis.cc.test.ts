import { describe, expect, test, type TestContext } from "vitest";
import { RedisHarness } from "../support/redis-harness.js";
import { until } from "../support/until.js";
import { newId, set } from "../support/broker-participant.js";

const LEASE_MS = 10_000;
const HOUR_S = 3_600;

/**
 * Starts a Redis whose wall clock the test sets. Its monotonic clock stays correct, as on a machine
 * whose wall clock is changed.
 */
async function world(context: TestContext) {
  const all = new RedisHarness(context);
  const redis = await all.redis({ hasClock: true });
  const clockOf = async (): Promise<number> => Number(/\d{10}/.exec(await redis.say("TIME"))?.[0]);
  const setClock = async (seconds: number): Promise<void> => {
    redis.setClock(seconds);
    await until(async () => Math.abs((await clockOf()) - Date.now() / 1_000 - seconds) < 60, 10_000, "The clock");
  };
  return { all, redis, setClock };
}

describe.concurrent("[BR67] the clock of Redis", { timeout: 120_000 }, () => {
  test("set back an hour does not keep the lease of a dead instance alive", async (context) => {
    const { all, redis, setClock } = await world(context);
    const proxy = await all.proxy({ to: redis.port });
    const one = all.join(redis);
    const dead = all.join(proxy);
    await until(async () => one.link.isHealthy && (await one.link.instances()).size === 2);
    await new Promise((resolve) => setTimeout(resolve, LEASE_MS + 500));
    proxy.weather = { refuse: true };
    proxy.cut();
    const diedAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await setClock(-HOUR_S);
    await until(() => one.gone.includes(dead.id), 2 * LEASE_MS, "Its end");
    expect(performance.now() - diedAt).toBeGreaterThan(LEASE_MS - 2_500);
    expect(await one.link.instances()).toEqual(new Set([one.id]));
    expect(one.link.isHealthy).toBe(true);
    // An instance that joins now does not list the dead instance.
    expect(await all.join(redis).link.instances()).not.toContain(dead.id);
  });

  test("set forward an hour expires no live instance, and expired entries are stored again at once", async (context) => {
    const { all, redis, setClock } = await world(context);
    const instances = [all.join(redis), all.join(redis)];
    const [one] = instances as [(typeof instances)[0], (typeof instances)[0]];
    await until(() => instances.every(({ link }) => link.isHealthy));
    await new Promise((resolve) => setTimeout(resolve, LEASE_MS + 500));
    await one.link.publish("who", newId(), "", { table: { ...set("ann", "here")!, ttlMs: 600_000 } });
    const [forgotten, doubts] = [one.forgotten, one.doubts];
    await setClock(HOUR_S);
    const setAt = performance.now();
    await until(() => instances.every((each) => each.forgotten > forgotten && each.doubts > doubts), 5_000, "The news");
    expect(performance.now() - setAt).toBeLessThan(5_000);
    await new Promise((resolve) => setTimeout(resolve, LEASE_MS + 4_000));
    expect(instances.map(({ gone }) => gone)).toEqual([[], []]);
    expect((await one.link.instances()).size).toBe(2);
    // `onForgotten` is called once, and not with every later heartbeat.
    expect(one.forgotten).toBe(forgotten + 1);
  });

  test("that jumps back and forth expires no live instance", async (context) => {
    const { all, redis, setClock } = await world(context);
    const instances = [all.join(redis), all.join(redis)];
    await until(() => instances.every(({ link }) => link.isHealthy));
    for (const seconds of [-HOUR_S, HOUR_S, 0, -60]) {
      await setClock(seconds);
      await new Promise((resolve) => setTimeout(resolve, 4_000));
    }
    expect(instances.map(({ gone }) => gone)).toEqual([[], []]);
    expect((await instances[0]!.link.instances()).size).toBe(2);
  });
});
