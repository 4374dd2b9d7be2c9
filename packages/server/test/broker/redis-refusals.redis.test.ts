import { describe, expect, test } from "vitest";
import { freePort } from "../support/redis-server.js";
import { recordingLogger, RedisHarness } from "../support/redis-harness.js";
import { until } from "../support/until.js";
import { all, log, newId, type Participant, works, hears } from "../support/broker-participant.js";

/**
 * Redis forgets scripts, is a replica, holds foreign data, or refuses a command.
 * Each test has its own Redis. The tests mostly wait, so they run concurrently.
 */
describe.concurrent("redisBroker when Redis refuses or holds foreign data", () => {
  test("[BR37] after SCRIPT FLUSH the broker sends its scripts again", async (context) => {
    const world = new RedisHarness(context);
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

  test("[BR38] calls to a replica reject with UNAVAILABLE until the replica is promoted, and calls to a demoted primary fail", async (context) => {
    const world = new RedisHarness(context);
    const primary = await world.redis();
    const replica = await world.redis({ replicaOf: primary.port });
    await until(async () => (await replica.say("INFO", "replication")).includes("master_link_status:up"));
    const one = world.join(replica);
    const refused = await one.link.publish("news", newId(), "", { log }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "UNAVAILABLE" });
    expect(one.link.isHealthy).toBe(false);
    await replica.say("REPLICAOF", "NO", "ONE");
    await until(() => works(one), 5_000);
    // The reverse: a primary is demoted to a replica.
    await one.link.subscribe("news");
    await replica.say("REPLICAOF", "127.0.0.1", primary.port);
    await until(async () => !(await works(one)), 5_000);
    await replica.say("REPLICAOF", "NO", "ONE");
    await until(() => works(one), 5_000);
    await hears(one, "news");
    await until(() => one.forgotten > 0);
  });

  test("[BR39] foreign data under the broker's keys rejects with UNAVAILABLE, and foreign announcements are ignored", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis();
    const logger = recordingLogger();
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
    // One line, although many invalid announcements arrived.
    expect(logger.lines).toHaveLength(1);
    expect(logger.lines[0]).toMatchObject({ level: "warn", fields: { topic: "good" } });
    expect(one.link.isHealthy).toBe(true);
  });

  test("[BR46] if Redis refuses a command, the error has Redis's code and a remedy, and no log line has the password", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis({ args: ["--requirepass", "secret-word"] });
    const logger = recordingLogger();
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
});
