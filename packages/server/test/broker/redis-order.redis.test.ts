import { Cluster } from "ioredis";
import { describe, expect, test } from "vitest";
import { topicKeys } from "../../src/broker/redis/keys.js";
import { startCluster } from "../support/redis-cluster.js";
import { RedisHarness } from "../support/redis-harness.js";
import { until } from "../support/until.js";
import { all, log, newId, type Participant, set } from "../support/broker-participant.js";

/**
 * Publishes as an application does, some calls in the same turn of the event loop and some later.
 * Returns the stored offsets in the order of the calls, without the refused calls.
 */
async function burst({ link }: Participant, topic: string, count: number, name: string): Promise<number[]> {
  const stored: Promise<number | undefined>[] = [];
  for (let index = 0; index < count; index++) {
    const kind = index % 4;
    const options = {
      log,
      ...(kind === 1 && { table: set(`field-${index % 8}`, `${index}`) }),
      ...(kind === 2 && { key: `${name}-${index}` }),
    };
    stored.push(
      link.publish(topic, newId(), `${name} ${index}`, options).then(
        ({ position }) => position!.offset,
        () => undefined,
      ),
    );
    if (index % 3 === 0) await new Promise((resolve) => void setImmediate(resolve));
  }
  return (await Promise.all(stored)).filter((offset) => offset !== undefined);
}

/** The number of successive calls that were stored in reverse order. */
const turned = (offsets: readonly number[]): number =>
  offsets.filter((offset, index) => index > 0 && offset < offsets[index - 1]!).length;

describe.concurrent("[BR65] publications of one instance on one topic reach Redis in the order of the calls", () => {
  test("while Redis repeatedly loses its scripts and other instances load them again", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis();
    const instances = [world.join(server), world.join(server), world.join(server)];
    await until(() => instances.every(({ link }) => link.isHealthy));
    await instances[0]!.link.subscribe("news");
    let stored = 0;
    for (let round = 0; round < 25; round++) {
      const bursts = instances.map((one, index) => burst(one, "news", 150, `r${round} i${index}`));
      for (let flushes = 0; flushes < 3; flushes++) {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 6));
        await server.say("SCRIPT", "FLUSH");
      }
      for (const offsets of await Promise.all(bursts)) {
        stored += offsets.length;
        expect(turned(offsets), `round ${round}`).toBe(0);
      }
    }
    expect(stored).toBeGreaterThan(9_000);
    await until(() => instances[0]!.on("news").length >= stored);
    const heard = instances[0]!.on("news").map(({ link }) => link!.offset);
    expect(heard).toEqual([...heard].sort((a, b) => a - b));
  });

  test("across a restart of Redis; a refused publication is not stored after a later one", async (context) => {
    const world = new RedisHarness(context);
    // Redis loses no confirmed publication, so offsets only rise.
    const server = await world.redis({ args: ["--appendonly", "yes", "--appendfsync", "always"] });
    const one = world.join(server);
    await until(() => one.link.isHealthy);
    for (let round = 0; round < 3; round++) {
      const bursts = [burst(one, "news", 400, `r${round}`)];
      await new Promise((resolve) => setTimeout(resolve, 5));
      await server.restart();
      bursts.push(burst(one, "news", 200, `r${round} after`));
      for (const offsets of await Promise.all(bursts)) expect(turned(offsets)).toBe(0);
      await until(() => one.link.isHealthy);
    }
    const { events } = await one.link.read("news", { log: all, ttlMs: 1_000 });
    const numbers = events.map(({ body }) => Number(/\d+$/.exec(body)![0]));
    for (const [index, { body }] of events.entries()) {
      const before = events[index - 1]?.body;
      if (before?.split(" ").slice(0, -1).join() === body.split(" ").slice(0, -1).join())
        expect(numbers[index]).toBeGreaterThan(numbers[index - 1]!);
    }
  });

  test("while a slot moves to another cluster node, with and without its data", async (context) => {
    const world = new RedisHarness(context);
    const cluster = await startCluster(2);
    world.endsWith(() => cluster.end());
    const client = new Cluster(
      cluster.ports.map((port) => ({ port, host: "127.0.0.1" })),
      { lazyConnect: true },
    );
    const [one, other] = [world.join({ client }), world.join({ client })];
    await until(() => one.link.isHealthy && other.link.isHealthy);
    await Promise.all(["news", "plain"].map((topic) => one.link.subscribe(topic)));
    const { slot, meta, log: logKey, table } = topicKeys("holdfast:contract", "news");
    const ids = await Promise.all(cluster.nodes.map((node) => node.say("CLUSTER", "MYID")));
    let at = slot < 8_192 ? 0 : 1;
    for (let round = 0; round < 4; round++) {
      const [from, to] = [cluster.nodes[at]!, cluster.nodes[1 - at]!];
      const bursts = [burst(one, "news", 300, `r${round} one`), burst(other, "news", 300, `r${round} other`)];
      await to.say("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[at]!);
      await from.say("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1 - at]!);
      for (;;) {
        const keys = await from.say("CLUSTER", "GETKEYSINSLOT", slot, 500);
        const names = keys.split("\n").filter((key) => key.startsWith("{"));
        if (names.length === 0) break;
        await from.say("MIGRATE", "127.0.0.1", to.port, "", 0, 2_000, "KEYS", ...names);
      }
      for (const node of [to, from]) await node.say("CLUSTER", "SETSLOT", slot, "NODE", ids[1 - at]!);
      at = 1 - at;
      bursts.push(burst(one, "news", 100, `r${round} after`));
      for (const offsets of await Promise.all(bursts)) expect(turned(offsets), `round ${round}`).toBe(0);
      expect([meta, logKey, table]).toHaveLength(3);
    }
    await until(() => one.link.isHealthy);
    const said = Array.from({ length: 300 }, (_, index) => one.link.publish("plain", "", `${index}`));
    await Promise.all(said);
    await until(() => one.on("plain").length === 300);
    expect(one.on("plain").map(({ body }) => Number(body))).toEqual(Array.from({ length: 300 }, (_, index) => index));
  });

  test("and one refused publication does not delay the others", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis();
    const one = world.join(server);
    await until(() => one.link.isHealthy);
    await server.say("SET", "{holdfast:contract:news}:key:taken", "something else");
    const calls = ["a", "taken", "b", "c"].map((key) => one.link.publish("news", newId(), key, { log, key }));
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
    expect(outcomes[1]).toMatchObject({
      reason: { code: "UNAVAILABLE", message: expect.stringContaining("WRONGTYPE") },
    });
    const { events } = await one.link.read("news", { log: all, ttlMs: 1_000 });
    expect(events.map(({ body }) => body)).toEqual(["a", "b", "c"]);
  });
});
