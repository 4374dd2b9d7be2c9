import { describe, expect, test } from "vitest";
import { RedisHarness } from "../support/redis-harness.js";
import { until } from "../support/until.js";
import { newId, set } from "../support/broker-participant.js";

/** Redis measures leases with its own clock, so these tests wait in real time. */
describe.concurrent("the leases of redisBroker", () => {
  test("[BR41] if an instance is cut off, `onGone` reports the instance once to the others; when the instance returns, its `onForgotten` is called", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis();
    const proxy = await world.proxy({ to: server.port });
    const [one, two] = [world.join(server), world.join(server)];
    const lost = world.join(proxy);
    await until(async () => (await one.link.instances()).size === 3);
    // Wait longer than the grace period of a new link.
    await new Promise((resolve) => setTimeout(resolve, 10_500));
    expect([...one.gone, ...two.gone, ...lost.gone]).toEqual([]);
    proxy.weather = { refuse: true };
    proxy.cut();
    const cutAt = performance.now();
    await until(() => one.gone.length > 0 && two.gone.length > 0);
    expect(performance.now() - cutAt).toBeGreaterThan(7_000);
    expect(performance.now() - cutAt).toBeLessThan(15_000);
    expect(await one.link.instances()).toEqual(new Set([one.id, two.id]));
    proxy.pass();
    await until(() => lost.forgotten > 0);
    await until(async () => (await one.link.instances()).size === 3);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(one.gone).toEqual([lost.id]);
    expect(two.gone).toEqual([lost.id]);
    expect(lost.gone).toEqual([]);
    expect(lost.forgotten).toBe(1);
    expect(one.forgotten + two.forgotten).toBe(0);
  });

  test("[BR41] an instance that was killed before another joined is reported by `onGone`", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis();
    // The entry that a killed instance leaves in Redis.
    await server.say("HSET", "{holdfast:contract}:beats", "long-dead", "17");
    const one = world.join(server);
    expect(await one.link.instances()).toEqual(new Set([one.id, "long-dead"]));
    await until(() => one.gone.length > 0);
    expect(one.gone).toEqual(["long-dead"]);
    expect(await one.link.instances()).toEqual(new Set([one.id]));
    expect(await server.say("HEXISTS", "{holdfast:contract}:beats", "long-dead")).toBe("0");
  });

  test("[BR41] a Redis outage longer than a lease does not report any instance as gone", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis({ persist: true });
    const instances = [world.join(server), world.join(server), world.join(server)];
    await until(() => instances.every(({ link }) => link.isHealthy));
    await server.save();
    await server.kill();
    await new Promise((resolve) => setTimeout(resolve, 11_000));
    await server.start();
    await until(() => instances.every(({ link }) => link.isHealthy));
    await new Promise((resolve) => setTimeout(resolve, 13_000));
    expect(instances.map(({ gone }) => gone)).toEqual([[], [], []]);
    expect((await instances[0]!.link.instances()).size).toBe(3);
  });

  test("[BR42] `onForgotten` is called after a restart, a roll-back and a flush of Redis", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis({ persist: true });
    const one = world.join(server);
    await one.link.publish("who", newId(), "", { table: set("one", "here") });
    await until(() => one.link.isHealthy);
    await server.save();
    const happens = [() => server.rollBack(), () => server.restart(), () => server.say("FLUSHALL")];
    for (const happen of happens) {
      const before = one.forgotten;
      await happen();
      await until(() => one.forgotten > before, 10_000);
    }
    // A broken connection alone does not count as lost data.
    await until(() => one.link.isHealthy);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    const before = one.forgotten;
    await server.say("CLIENT", "KILL", "TYPE", "normal");
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect(one.link.isHealthy).toBe(true);
    expect(one.forgotten).toBe(before);
  });

  test("[BR22] `onGone` reports an instance that leaves within a few seconds", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis();
    const [one, two] = [world.join(server), world.join(server)];
    await until(async () => (await one.link.instances()).size === 2);
    await new Promise((resolve) => setTimeout(resolve, 10_500));
    await two.link.close();
    await until(() => one.gone.length > 0, 5_000);
    expect(one.gone).toEqual([two.id]);
  });
});
