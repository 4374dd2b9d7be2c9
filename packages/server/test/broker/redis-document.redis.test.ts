import { describe, expect, test } from "vitest";
import type { Reading, ReadOptions } from "../../src/broker/broker.js";
import type { RedisServer } from "../support/redis-server.js";
import { outcome, RedisHarness } from "../support/redis-harness.js";
import { until } from "../support/until.js";
import { all, docOf, log, newId, type Participant, set } from "../support/broker-participant.js";

const META = "{holdfast:contract:board}:meta";
const DAY_MS = 24 * 3_600_000;
const LARGE = "m".repeat(2 ** 18);
const unavailable = { code: "UNAVAILABLE", remedy: expect.any(String) };

const read = ({ link }: Participant, options: Partial<ReadOptions> = {}): Promise<Reading> =>
  link.read("board", { log: all, table: true, document: true, ttlMs: 60_000, ...options });

/** Publishes the first document of a topic. Returns its id. */
async function drawn({ link }: Participant, text = "drawn"): Promise<string> {
  const id = newId();
  expect((await link.publish("board", id, "a", { log, document: docOf(text, "") })).outcome).toBe("appended");
  return id;
}

/** The bytes that Redis has sent to all clients so far. */
async function sent(server: RedisServer): Promise<number> {
  return Number(/total_net_output_bytes:(\d+)/.exec(await server.say("INFO", "stats"))![1]);
}

/** Each test has its own Redis. */
describe.concurrent("documents in Redis", () => {
  test("[BR60] in Redis a topic lives as long as its document, regardless of later publications and readings", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis();
    const { link } = world.join(server);
    const days = async (): Promise<number> => Math.round(Number(await server.say("PTTL", META)) / DAY_MS);
    const write = async (id: string, expected: string, ttlMs: number): Promise<string> =>
      (await link.publish("board", id, "", { log, document: { text: id, expected, ttlMs } })).outcome;
    expect(await write("1", "", DAY_MS)).toBe("appended");
    // The position of a topic with a log lives longer, and the document lives with the position.
    expect(await days()).toBe(30);
    expect(await write("2", "another", 90 * DAY_MS)).toBe("conflict");
    expect(await days()).toBe(30);
    expect(await write("3", "1", 90 * DAY_MS)).toBe("appended");
    expect(await days()).toBe(90);
    const touches: [string, () => Promise<unknown>][] = [
      ["an event", () => link.publish("board", newId(), "", { log })],
      ["a change of the table", () => link.publish("board", newId(), "", { log, table: set("ann", "1") })],
      ["a document that is refused", () => write("4", "1", DAY_MS)],
      ["a reading", () => link.read("board", { ttlMs: 1_000 })],
      ["a reading of what is known", () => link.read("board", { document: true, known: "3", ttlMs: 1_000 })],
      ["being asked where it stands", () => link.positions(["board"])],
      ["a document that is to live for less", () => write("5", "3", DAY_MS)],
    ];
    for (const [name, touch] of touches) {
      await server.say("PEXPIRE", META, DAY_MS);
      await touch();
      expect(await days(), name).toBe(90);
    }
    // The longest lifetime is the largest exact integer.
    expect(await write("6", "5", Number.MAX_SAFE_INTEGER)).toBe("appended");
    await link.publish("board", newId(), "", { log });
    expect(Number(await server.say("PTTL", META))).toBeGreaterThan(Number.MAX_SAFE_INTEGER - 60_000);
    expect((await link.read("board", { document: true, ttlMs: 1_000 })).document).toEqual({ id: "6", text: "6" });
  });

  test("[BR61] a document whose id is lost does not exist, and the next document is written as the first", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis();
    const one = world.join(server);
    const losses = [
      ["HDEL", META, "documentId"],
      ["HSET", META, "documentId", ""],
    ];
    for (const lose of losses) {
      await server.say("DEL", META);
      const id = await drawn(one);
      await server.say(...lose);
      for (const known of [undefined, "", id]) {
        const reading = await read(one, { known });
        expect(reading.position, `${lose[0]}, known: ${known}`).toMatchObject({ offset: 1, id });
        expect([reading.document, reading.isKnown], `${lose[0]}, known: ${known}`).toEqual([undefined, undefined]);
      }
      const late = await one.link.publish("board", newId(), "", { log, document: docOf("late", id) });
      expect(late).toMatchObject({ outcome: "conflict", position: { offset: 1 } });
      const next = newId();
      await one.link.publish("board", next, "", { log, document: docOf("anew", "") });
      expect(await read(one)).toMatchObject({ position: { offset: 2 }, document: { id: next, text: "anew" } });
    }
  });

  test("[BR61] `read` of a document whose text is lost rejects with UNAVAILABLE until the next document; a topic without epoch starts empty", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis();
    const one = world.join(server);
    const first = await drawn(one);
    await server.say("HDEL", META, "document");
    await expect(read(one)).rejects.toMatchObject(unavailable);
    await expect(read(one, { known: "another" })).rejects.toMatchObject(unavailable);
    // A reader that has the document needs only its id.
    expect((await read(one, { known: first })).isKnown).toBe(true);
    expect(await one.link.positions(["board"])).toMatchObject([{ offset: 1, id: first }]);
    const second = newId();
    await one.link.publish("board", second, "b", { log, document: docOf("B", first) });
    expect((await read(one)).document).toEqual({ id: second, text: "B" });

    const { position: before } = await read(one);
    await server.say("HDEL", META, "epoch");
    const reading = await read(one, { known: second });
    expect(reading).toMatchObject({ position: { offset: 0, id: "" }, events: [] });
    expect(reading.position.epoch).not.toBe(before.epoch);
    expect([reading.document, reading.isKnown]).toEqual([undefined, undefined]);
    const late = await one.link.publish("board", newId(), "c", { log, document: docOf("C", second) });
    expect(late).toEqual({ outcome: "conflict", position: reading.position });
  });

  test("[BR61] foreign data under the key of a document is not changed, calls reject with UNAVAILABLE, and the link stays healthy", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis();
    const one = world.join(server);
    const id = await drawn(one);
    await until(() => one.link.isHealthy);
    await server.say("DEL", META);
    await server.say("SET", META, "not a hash");
    for (const known of [undefined, id]) await expect(read(one, { known })).rejects.toMatchObject(unavailable);
    for (const expected of ["", id]) {
      const written = one.link.publish("board", newId(), "", { log, document: docOf("B", expected) });
      await expect(written).rejects.toMatchObject(unavailable);
    }
    expect(await one.link.positions(["board"])).toEqual([undefined]);
    expect(await server.say("GET", META)).toBe("not a hash");
    expect([one.link.isHealthy, one.doubts]).toEqual([true, 0]);
    await server.say("DEL", META);
    const anew = await drawn(one, "anew");
    expect(await read(one)).toMatchObject({ position: { offset: 1 }, document: { id: anew, text: "anew" } });
  });

  test("[BR62] after a roll-back Redis has the older document: expecting the lost document is a conflict, and a read with its id as `known` returns the stored text", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis({ persist: true });
    const one = world.join(server);
    const kept = await drawn(one, "kept");
    await server.save();
    const lost = newId();
    await one.link.publish("board", lost, "b", { log, document: docOf("lost", kept) });
    expect((await read(one, { known: lost })).isKnown).toBe(true);
    await server.rollBack();
    await until(async () => (await outcome(read(one))).code === "kept");
    const reading = await read(one, { known: lost });
    expect(reading).toMatchObject({ position: { offset: 1, id: kept }, document: { id: kept, text: "kept" } });
    expect(reading.isKnown).toBeUndefined();
    expect((await read(one, { known: kept })).isKnown).toBe(true);
    const write = (id: string, expected: string) =>
      one.link.publish("board", id, "b", { log, document: docOf("another", expected) });
    expect(await write(newId(), lost)).toEqual({ outcome: "conflict", position: reading.position });
    // The topic now has a second history with the same offset of the same epoch.
    const other = newId();
    expect(await write(other, kept)).toMatchObject({ outcome: "appended", position: { offset: 2 } });
    expect((await write(newId(), lost)).outcome).toBe("conflict");
    expect((await read(one, { known: lost })).document).toEqual({ id: other, text: "another" });
  });

  test("[BR63] if Redis lacks memory or replicas, a publication with a document is refused as a whole, and the current document stays", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis();
    const one = world.join(server);
    await one.link.subscribe("board");
    const id = await drawn(one);
    await one.link.publish("board", newId(), "", { log, table: set("ann", "1") });
    const before = await read(one);
    expect(before).toMatchObject({ position: { offset: 2 }, document: { id, text: "drawn" } });
    const change = { log, document: docOf(LARGE, id), table: set("ann", "2"), key: "k" };
    const refusals = [
      { setting: "maxmemory", remedy: /maxmemory/, isRead: true },
      { setting: "min-replicas-to-write", remedy: /min-replicas-to-write/, isRead: false },
    ];
    for (const { setting, remedy, isRead } of refusals) {
      await server.say("CONFIG", "SET", setting, 1);
      for (let tries = 0; tries < 3; tries++) {
        const refused = one.link.publish("board", newId(), "b", change);
        await expect(refused, setting).rejects.toMatchObject({
          code: "UNAVAILABLE",
          remedy: expect.stringMatching(remedy),
        });
      }
      // A full Redis still answers readings.
      if (isRead) expect(await read(one)).toEqual(before);
      await server.say("CONFIG", "SET", setting, 0);
      expect(await read(one), setting).toEqual(before);
    }
    // The refused publication used up no key and was not delivered.
    expect(await one.link.publish("board", newId(), "b", change)).toMatchObject({
      outcome: "appended",
      position: { offset: 3 },
      previous: "1",
    });
    await until(() => one.heard.length === 3);
    expect(one.on("board").map(({ link }) => link!.offset)).toEqual([1, 2, 3]);
  });

  test("[BR64] Redis does not send the text of a document that the reader knows or did not request", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis();
    const one = world.join(server);
    const id = await drawn(one, LARGE);
    const start = await sent(server);
    await read(one, { known: "another" });
    // This read proves that the measurement would notice the text.
    const before = await sent(server);
    expect(before - start).toBeGreaterThan(LARGE.length);
    for (let index = 0; index < 10; index++) {
      expect((await read(one, { known: id })).isKnown).toBe(true);
      await read(one, { document: false, known: "another" });
      await one.link.positions(["board"]);
    }
    expect((await sent(server)) - before).toBeLessThan(LARGE.length / 4);
  });

  test("[BR64] neither an announcement nor the answer to a publication contains the text of the document", async (context) => {
    const world = new RedisHarness(context);
    const server = await world.redis();
    const [one, two] = [world.join(server), world.join(server)];
    await two.link.subscribe("board");
    const before = await sent(server);
    let expected = "";
    for (let index = 1; index <= 10; index++) {
      const change = { log, key: `${index}`, document: docOf(LARGE, expected) };
      expected = newId();
      expect((await one.link.publish("board", expected, `${index}`, change)).outcome).toBe("appended");
      expect((await one.link.publish("board", newId(), "", change)).outcome).toBe("duplicate");
      expect((await one.link.publish("board", newId(), "", { ...change, key: "another" })).outcome).toBe("conflict");
    }
    await until(() => two.heard.length === 10);
    expect((await sent(server)) - before).toBeLessThan(LARGE.length / 4);
  });
});
