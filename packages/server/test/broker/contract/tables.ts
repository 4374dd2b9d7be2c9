import { expect, test } from "vitest";
import type { AppendOptions } from "../../../src/broker/broker.js";
import { all, log, newId, remove, set } from "../../support/broker-participant.js";
import { until } from "../../support/until.js";
import type { ContractParts } from "../broker-contract.js";

/**
 * Tables: a publication may set or remove one field of its topic's table, and a reading returns the
 * table together with the position it belongs to.
 */
export function tableContract({ join, pass }: ContractParts): void {
  test("[BR12] fields of a table are set, replaced and removed, and each change is a publication that names its field", async () => {
    const [one, two] = [join(), join()];
    await two.link.subscribe("who");
    const changes = [
      await one.link.publish("who", newId(), "", { table: set("ann", "1") }),
      await one.link.publish("who", newId(), "said", { table: set("bob", "2") }),
      await one.link.publish("who", newId(), "", { table: set("ann", "3") }),
      await one.link.publish("who", newId(), "", { table: remove("bob") }),
    ];
    expect(changes.map(({ outcome, previous }) => [outcome, previous])).toEqual([
      ["appended", undefined],
      ["appended", undefined],
      ["appended", "1"],
      ["appended", "2"],
    ]);
    expect(changes.map(({ position }) => position!.offset)).toEqual([1, 2, 3, 4]);
    await until(() => two.heard.length === 4);
    expect(two.on("who").map(({ body, entry }) => [body, entry?.field, entry?.value])).toEqual([
      ["", "ann", "1"],
      ["said", "bob", "2"],
      ["", "ann", "3"],
      ["", "bob", undefined],
    ]);
    const reading = await two.link.read("who", { log: all, table: true, ttlMs: 1_000 });
    expect(reading).toEqual({ position: changes[3]!.position, events: [], entries: new Map([["ann", "3"]]) });
  });

  test("[BR13] removing a field that does not exist changes nothing and is not delivered", async () => {
    const { link, heard, on } = join();
    await link.subscribe("who");
    const { position } = await link.publish("who", newId(), "", { table: set("ann", "1") });
    expect(await link.publish("who", newId(), "bye", { table: remove("bob") })).toEqual({
      outcome: "unchanged",
      position,
    });
    await link.publish("who", newId(), "last", { table: remove("ann") });
    await until(() => heard.length === 2);
    expect(on("who").map(({ body, link: place }) => [body, place!.offset])).toEqual([
      ["", 1],
      ["last", 2],
    ]);
    expect(await link.publish("empty", newId(), "", { table: remove("ann") })).toMatchObject({
      outcome: "unchanged",
      position: { offset: 0, id: "" },
    });
  });

  test("[BR14] a topic may have a log and a table; the log holds the changes that led to the table", async () => {
    const { link } = join();
    await link.publish("doc", newId(), "a", { log, table: set("state", "1") });
    await link.publish("doc", newId(), "b", { log, table: set("state", "2") });
    const { events, entries } = await link.read("doc", { log: all, table: true, ttlMs: 1_000 });
    expect(events.map(({ body, entry }) => [body, entry])).toEqual([
      ["a", { field: "state", value: "1" }],
      ["b", { field: "state", value: "2" }],
    ]);
    expect(entries).toEqual(new Map([["state", "2"]]));
  });

  test("[BR15] a table expires `ttlMs` after the last `publish`, `read` or `positions` of its topic", async () => {
    const { link } = join();
    const table = (field: string): AppendOptions["table"] => ({ entry: { field, value: "1" }, ttlMs: 700 });
    for (const topic of ["left alone", "read", "asked"]) await link.publish(topic, newId(), "", { table: table("a") });
    for (let turn = 0; turn < 4; turn++) {
      await pass(300);
      await link.read("read", { ttlMs: 1 });
      await link.positions(["asked"]);
    }
    const entriesOf = async (topic: string): Promise<number> =>
      (await link.read(topic, { table: true, ttlMs: 1_000 })).entries.size;
    expect(await entriesOf("read")).toBe(1);
    expect(await entriesOf("asked")).toBe(1);
    expect(await entriesOf("left alone")).toBe(0);
  });
}
