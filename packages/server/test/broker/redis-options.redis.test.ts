import { describe, expect, test } from "vitest";
import { readFile } from "node:fs/promises";
import { Redis } from "ioredis";
import { recordingLogger, RedisHarness } from "../support/redis-harness.js";
import { until } from "../support/until.js";
import { all, log, newId, set } from "../support/broker-participant.js";

/**
 * Prefixes, a client of the application, and the ACL that the documentation lists.
 * Each test has its own Redis. The tests mostly wait, so they run concurrently.
 */
describe.concurrent("redisBroker with the application's options", () => {
  test("[BR40] brokers with different prefixes neither receive each other's publications nor list each other", async (context) => {
    const world = new RedisHarness(context);
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

  test("[BR47] a client of the application is not closed, and its `keyPrefix` is not used", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis();
    const client = new Redis(server.port, "127.0.0.1", { keyPrefix: "app:", enableAutoPipelining: true, db: 3 });
    world.endsWith(async () => client.disconnect());
    const one = world.join({ client });
    await one.link.subscribe("news");
    await one.link.publish("news", newId(), "", { log });
    await until(() => one.heard.length === 1);
    // The database number of the client is used, because that number is part of the address.
    const same = client.duplicate({ keyPrefix: "" });
    expect(await same.exists("{holdfast:contract:news}:meta")).toBe(1);
    same.disconnect();
    await one.link.close();
    expect(await client.ping()).toBe("PONG");
    await until(async () => (await server.clients()) === 1, 5_000, "The end of the broker's connections");
  });

  test("[BR48] the ACL in the documentation of `redisBroker` suffices", async (context) => {
    const world = new RedisHarness(context);
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
    const logger = recordingLogger();
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
});
