import { Cluster, Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { slotOf, topicKeys } from "../../src/broker/redis/keys.js";
import type { ChaosConnection, ChaosProxy } from "../support/chaos-proxy.js";
import { type RedisCluster, startCluster } from "../support/redis-cluster.js";
import { countingEnvironment, recordingLogger, RedisHarness } from "../support/redis-harness.js";
import { until } from "../support/until.js";
import { all, log, newId, type Participant } from "../support/broker-participant.js";

const topics = Array.from({ length: 60 }, (_, index) => `topic-${index}`);

function clientOf(cluster: RedisCluster, options: ConstructorParameters<typeof Cluster>[1] = {}): Cluster {
  return new Cluster(
    cluster.ports.map((port) => ({ port, host: "127.0.0.1" })),
    { ...options, lazyConnect: true },
  );
}

/**
 * Publishes on each topic until a publication is delivered. Lost publications are allowed, because
 * `onDoubt` reports that publications may be lost.
 */
async function hearsAll(one: Participant, limitMs: number): Promise<void> {
  const before = new Map(topics.map((topic) => [topic, one.on(topic).length]));
  await until(
    async () => {
      const silent = topics.filter((topic) => one.on(topic).length === before.get(topic));
      await Promise.all(silent.map((topic) => one.link.publish(topic, newId(), "heard?", { log }).catch(() => {})));
      return silent.length === 0;
    },
    limitMs,
    "Hearing all topics",
  );
}

describe.concurrent("redisBroker on a cluster", () => {
  test("[BR44] if a cluster master dies, its topics continue on the replica, and `onDoubt` is called", async (context) => {
    const world = new RedisHarness(context);
    const cluster = await startCluster(3, { replicas: true });
    world.endsWith(() => cluster.end());
    const logger = recordingLogger();
    const one = world.join({ client: clientOf(cluster) }, { logger });
    await Promise.all(topics.map((topic) => one.link.subscribe(topic)));
    await hearsAll(one, 5_000);
    await until(() => one.link.isHealthy);
    const stays = topics.filter((topic) => topicKeys("holdfast:contract", topic).slot >= 5_462);
    expect(stays.length).toBeLessThan(topics.length);
    const [doubts, forgotten] = [one.doubts, one.forgotten];
    await cluster.nodes[0]!.kill();
    const killedAt = performance.now();
    // Until the other nodes notice the failure, calls for the topics of these nodes succeed.
    for (const topic of stays) await one.link.publish(topic, newId(), "still", { log });
    await hearsAll(one, 20_000);
    await until(() => one.link.isHealthy, 20_000, "Health");
    expect(performance.now() - killedAt).toBeLessThan(20_000);
    expect(one.doubts).toBeGreaterThan(doubts);
    expect(one.forgotten).toBeGreaterThan(forgotten);
    // A heartbeat that is sent while there is no master is refused and logged separately.
    const ofLink = logger.lines.filter(({ fields }) => !("code" in fields));
    expect(ofLink.map(({ level }) => level)).toEqual(["warn", "info"]);
  });

  test("[BR45] if a slot moves to another node, its topics are published, read and delivered there", async (context) => {
    const world = new RedisHarness(context);
    const cluster = await startCluster(3);
    world.endsWith(() => cluster.end());
    const one = world.join({ client: clientOf(cluster) });
    await Promise.all(topics.map((topic) => one.link.subscribe(topic)));
    await hearsAll(one, 5_000);
    const topic = topics.find((name) => topicKeys("holdfast:contract", name).slot < 5_461)!;
    const { slot, meta, log: logKey } = topicKeys("holdfast:contract", topic);
    expect(await cluster.nodes[0]!.say("CLUSTER", "KEYSLOT", meta)).toBe(`${slot}`);
    const before = await one.link.publish(topic, newId(), "before", { log });
    const doubts = one.doubts;
    const [from, to] = cluster.nodes as unknown as [(typeof cluster.nodes)[0], (typeof cluster.nodes)[0]];
    const ids = { from: await from.say("CLUSTER", "MYID"), to: await to.say("CLUSTER", "MYID") };
    await to.say("CLUSTER", "SETSLOT", slot, "IMPORTING", ids.from);
    await from.say("CLUSTER", "SETSLOT", slot, "MIGRATING", ids.to);
    await from.say("MIGRATE", "127.0.0.1", to.port, "", 0, 1_000, "KEYS", meta, logKey);
    for (const node of [to, from, cluster.nodes[2]!]) await node.say("CLUSTER", "SETSLOT", slot, "NODE", ids.to);
    const after = await one.link.publish(topic, newId(), "after", { log });
    expect(after.position).toMatchObject({ epoch: before.position!.epoch, offset: before.position!.offset + 1 });
    const { events } = await one.link.read(topic, { log: all, ttlMs: 1_000 });
    expect(events.slice(-2).map(({ body }) => body)).toEqual(["before", "after"]);
    await hearsAll(one, 10_000);
    expect(one.doubts).toBeGreaterThan(doubts);
    await until(() => one.link.isHealthy);
  });

  test("[BR36] in a cluster behind a `natMap` the broker notices that the announcements of one node stopped", async (context) => {
    const world = new RedisHarness(context);
    const cluster = await startCluster(3);
    world.endsWith(() => cluster.end());
    const proxies: ChaosProxy[] = [];
    for (const port of cluster.ports) {
      const proxy = await world.proxy({
        to: port,
        inspect(connection, direction, bytes) {
          if (direction === "up" && /\r\nssubscribe\r\n/i.test(bytes.toString("latin1")))
            connection.name = "subscriber";
        },
      });
      proxies.push(proxy);
    }
    const natMap = Object.fromEntries(
      cluster.ports.map((port, index) => [`127.0.0.1:${port}`, { host: "127.0.0.1", port: proxies[index]!.port }]),
    );
    const logger = recordingLogger();
    const one = world.join({ client: clientOf(cluster, { natMap }) }, { logger });
    await Promise.all(topics.map((topic) => one.link.subscribe(topic)));
    await hearsAll(one, 5_000);
    for (const proxy of proxies) expect(proxy.connections.size).toBeGreaterThan(0);
    const doubts = one.doubts;
    proxies[1]!.blackhole(({ name }: ChaosConnection) => name === "subscriber");
    await until(() => one.doubts > doubts, 20_000, "Doubt");
    await hearsAll(one, 5_000);
    expect(logger.lines[0]).toMatchObject({ fields: { reason: "Announcements do not come through" } });
  });

  test("[BR44] behind Sentinel publishing continues on the promoted replica", async (context) => {
    const world = new RedisHarness(context);
    const primary = await world.redis();
    const replica = await world.redis({ replicaOf: primary.port });
    await until(async () => (await replica.say("INFO", "replication")).includes("master_link_status:up"));
    const sentinel = await world.redis({ sentinelOf: primary.port });
    await until(
      async () => (await sentinel.say("SENTINEL", "REPLICAS", "main")).includes(`${replica.port}`),
      20_000,
      "Sentinel",
    );
    const client = new Redis({
      sentinels: [{ host: "127.0.0.1", port: sentinel.port }],
      name: "main",
      lazyConnect: true,
    });
    const one = world.join({ client });
    await one.link.subscribe("news");
    const { position } = await one.link.publish("news", newId(), "before", { log });
    await until(() => one.heard.length === 1);
    await until(async () => (await replica.say("EXISTS", "{holdfast:contract:news}:log")) === "1");
    await primary.kill();
    await until(
      () =>
        one.link.publish("news", newId(), "after", { log }).then(
          () => true,
          () => false,
        ),
      30_000,
      "The failover",
    );
    expect((await one.link.positions(["news"]))[0]).toMatchObject({ epoch: position!.epoch, offset: 2 });
    await until(async () => {
      await one.link.publish("news", newId(), "heard?").catch(() => {});
      return one.on("news").some(({ body }) => body === "heard?");
    });
    expect(one.doubts).toBeGreaterThan(0);
    await until(() => one.forgotten > 0 && one.link.isHealthy);
  });

  test("[BR43] `close` leaves no connection to any cluster node and no timer", async (context) => {
    const world = new RedisHarness(context);
    const cluster = await startCluster(3);
    world.endsWith(() => cluster.end());
    const clients = async (): Promise<number> => {
      const counts = await Promise.all(cluster.nodes.map((node) => node.clients()));
      return counts.reduce((sum, count) => sum + count);
    };
    for (const reach of [
      async () => {},
      async (one: Participant) => {
        await Promise.all(topics.map((topic) => one.link.subscribe(topic)));
        await until(() => one.link.isHealthy);
        // The connection for commands to a node opens with the first command.
        await Promise.all(topics.map((topic) => one.link.publish(topic, newId(), "opens", { log })));
        await until(async () => (await clients()) > 5, 5_000, "The connections to all nodes");
      },
    ]) {
      const environment = countingEnvironment();
      const one = world.join({ client: clientOf(cluster) }, { environment });
      await reach(one);
      await one.link.close();
      expect(environment.timers()).toBe(0);
      await until(async () => (await clients()) === 0, 5_000, "The end of the connections");
    }
  });

  test("[BR45] `slotOf` computes the same slot as CLUSTER KEYSLOT", async (context) => {
    const world = new RedisHarness(context);
    const cluster = await startCluster(1);
    world.endsWith(() => cluster.end());
    for (const key of ["", "foo", "{a}b", "{}b", "a{b}{c}", "a{{b}c}", "ä{∑}", "{holdfast:x}:meta", "}{a", "123456789"])
      expect(await cluster.nodes[0]!.say("CLUSTER", "KEYSLOT", key), key).toBe(`${slotOf(key)}`);
  });
});
