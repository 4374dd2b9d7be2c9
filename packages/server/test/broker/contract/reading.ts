import { expect, test } from "vitest";
import type { Appended } from "../../../src/broker/broker.js";
import { all, log, newId, set } from "../../support/broker-participant.js";
import type { ContractParts } from "../broker-contract.js";

/**
 * Reading a topic: the epoch, position and stored events that a reading returns, and how long the
 * broker keeps them.
 */
export function readingContract({ join, pass }: ContractParts): void {
  test("[BR7] the first `read` of a topic creates its epoch, and concurrent readers get the same epoch", async () => {
    const [one, two] = [join(), join()];
    const readings = await Promise.all(
      [one, two, one, two].map(({ link }) => link.read("quiet", { log: all, table: true, ttlMs: 60_000 })),
    );
    const [{ position }] = readings as [(typeof readings)[number]];
    expect(position).toEqual({ epoch: expect.stringMatching(/^.{1,64}$/), offset: 0, id: "" });
    for (const reading of readings) expect(reading).toEqual({ position, events: [], entries: new Map() });
    const { position: after } = await two.link.publish("quiet", newId(), "", { log });
    expect(after!.epoch).toBe(position.epoch);
    expect((await one.link.read("another", { ttlMs: 60_000 })).position.epoch).not.toBe(position.epoch);
  });

  test("[BR8] a topic that was only read expires after `ttlMs`, unless the topic is used again before", async () => {
    const { link } = join();
    await link.read("short", { ttlMs: 300 });
    await link.read("long", { ttlMs: 60_000 });
    await link.read("kept", { ttlMs: 800 });
    for (let turn = 0; turn < 4; turn++) {
      await pass(300);
      await link.positions(["kept"]);
    }
    const [short, long, kept] = await link.positions(["short", "long", "kept"]);
    expect(short).toBeUndefined();
    expect(long).toBeDefined();
    expect(kept).toBeDefined();
  });

  test("[BR9] the log keeps the last `size` events for `ttlMs`; the position outlives the events", async () => {
    const { link } = join();
    let last: Appended | undefined;
    for (let index = 1; index <= 12; index++)
      last = await link.publish("news", newId(), `${index}`, { log: { size: 5, ttlMs: 400 } });
    const { events } = await link.read("news", { log: all, ttlMs: 1_000 });
    expect(events.map(({ body }) => body)).toEqual(["8", "9", "10", "11", "12"]);
    await pass(600);
    expect(await link.read("news", { log: all, ttlMs: 1_000 })).toMatchObject({
      position: last!.position,
      events: [],
    });
    const next = await link.publish("news", newId(), "13", { log: { size: 5, ttlMs: 400 } });
    expect(next.position).toMatchObject({ epoch: last!.position!.epoch, offset: 13 });
  });

  test("[BR10] `read` returns the events after an offset in order, and only the newest if there are more than `most`", async () => {
    const { link } = join();
    for (let index = 1; index <= 8; index++) await link.publish("news", newId(), `${index}`, { log });
    const bodies = async (after: number, most: number): Promise<string[]> =>
      (await link.read("news", { log: { after, most }, ttlMs: 1_000 })).events.map(({ body }) => body);
    expect(await bodies(5, 100)).toEqual(["6", "7", "8"]);
    expect(await bodies(0, 2)).toEqual(["7", "8"]);
    expect(await bodies(7, 1)).toEqual(["8"]);
    expect(await bodies(8, 100)).toEqual([]);
    expect(await bodies(1_000_000, 100)).toEqual([]);
    expect(await bodies(0, 0)).toEqual([]);
    expect((await link.read("news", { ttlMs: 1_000 })).events).toEqual([]);
  });

  test("[BR11] `read` is atomic: its events end at its position, and its table belongs to that position", async () => {
    const [one, two] = [join(), join()];
    let isDone = false;
    const publishing = (async () => {
      for (let index = 1; index <= 500; index++)
        await one.link.publish("counter", newId(), `${index}`, { log, table: set("count", `${index}`) });
      isDone = true;
    })();
    let readings = 0;
    while (!isDone) {
      const { position, events, entries } = await two.link.read("counter", {
        log: { after: 0, most: 10 },
        table: true,
        ttlMs: 1_000,
      });
      readings++;
      if (position.offset === 0) continue;
      expect(entries.get("count")).toBe(`${position.offset}`);
      expect(events.at(-1)).toMatchObject({
        body: `${position.offset}`,
        link: { offset: position.offset, id: position.id },
      });
      for (const [index, event] of events.entries())
        if (index > 0) expect(event.link!.prev).toBe(events[index - 1]!.link!.id);
    }
    await publishing;
    expect(readings).toBeGreaterThan(5);
  });

  test("[BR27] `positions` answers in the order of its topics, for an empty list and for thousands of topics", async () => {
    const { link } = join();
    const topics = Array.from({ length: 2_500 }, (_, index) => `topic-${index}`);
    for (const index of [0, 7, 100, 1_234, 2_499]) await link.publish(topics[index]!, `id of ${index}`, "", { log });
    const found = await link.positions(topics);
    expect(found).toHaveLength(topics.length);
    expect(found.flatMap((position, index) => (position ? [[index, position.id]] : []))).toEqual(
      [0, 7, 100, 1_234, 2_499].map((index) => [index, `id of ${index}`]),
    );
    expect(await link.positions([])).toEqual([]);
  });
}
