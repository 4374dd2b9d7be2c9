import { expect, test } from "vitest";
import type { BrokerLink } from "../../../src/broker/broker.js";
import { all, log, newId, set } from "../../support/broker-participant.js";
import { until } from "../../support/until.js";
import type { ContractParts } from "../broker-contract.js";

/**
 * Conditional publications: a key makes a publication idempotent, and an expected position makes it
 * fail with a conflict if another writer was faster.
 */
export function conditionContract({ join }: ContractParts): void {
  test("[BR16] a second publication with the same key changes nothing and returns the position of the first", async () => {
    const [one, two] = [join(), join()];
    await two.link.subscribe("news");
    const key = "k".repeat(128);
    const first = await one.link.publish("news", newId(), "once", { log, key });
    await one.link.publish("news", newId(), "between", { log });
    expect(await two.link.publish("news", newId(), "twice", { log, key })).toEqual({
      ...first,
      outcome: "duplicate",
    });
    expect((await two.link.publish("other", newId(), "elsewhere", { log, key })).outcome).toBe("appended");
    expect((await two.link.publish("news", newId(), "another", { log, key: "K" })).outcome).toBe("appended");
    await until(() => two.heard.length === 3);
    expect(two.on("news").map(({ body }) => body)).toEqual(["once", "between", "another"]);
  });

  test("[BR17] of 40 concurrent publications with the same key exactly one is appended", async () => {
    const [one, two] = [join(), join()];
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        (index % 2 ? one : two).link.publish("news", newId(), `${index}`, { log, key: "same" }),
      ),
    );
    expect(outcomes.filter(({ outcome }) => outcome === "appended")).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === "duplicate")).toHaveLength(39);
    expect(new Set(outcomes.map(({ position }) => position!.id)).size).toBe(1);
  });

  test("[BR18] a publication that expects another position ends with `conflict` and returns the actual position", async () => {
    const { link, heard } = join();
    await link.subscribe("doc");
    const start = await link.read("doc", { table: true, ttlMs: 60_000 });
    const first = await link.publish("doc", newId(), "1", { log, table: set("s", "1"), expected: start.position });
    expect(first.outcome).toBe("appended");
    const stale = await link.publish("doc", newId(), "2", { log, table: set("s", "2"), expected: start.position });
    expect(stale).toEqual({ outcome: "conflict", position: first.position });
    // The same offset with another id, as after a roll-back of the store.
    const forked = { offset: 1, id: "another" };
    expect((await link.publish("doc", newId(), "3", { log, expected: forked })).outcome).toBe("conflict");
    expect((await link.publish("doc", newId(), "4", { log, key: "k", expected: forked })).outcome).toBe("conflict");
    const last = await link.publish("doc", newId(), "5", { log, key: "k", expected: first.position! });
    expect(last.outcome).toBe("appended");
    await until(() => heard.length === 2);
    const { events, entries } = await link.read("doc", { log: all, table: true, ttlMs: 1_000 });
    expect(events.map(({ body }) => body)).toEqual(["1", "5"]);
    expect(entries.get("s")).toBe("1");
    const fresh = await link.publish("fresh", newId(), "", { log, expected: { offset: 3, id: "x" } });
    expect(fresh).toMatchObject({ outcome: "conflict", position: { offset: 0, id: "" } });
  });

  test("[BR19] of concurrent writers that expect the same position exactly one succeeds", async () => {
    const links = [join(), join()].map(({ link }) => link);
    let isOver = false;
    const write = async (link: BrokerLink): Promise<number> => {
      let won = 0;
      while (!isOver) {
        const { position } = await link.read("doc", { ttlMs: 60_000 });
        if (position.offset >= 200) isOver = true;
        else if ((await link.publish("doc", newId(), "", { log, expected: position })).outcome === "appended") won++;
      }
      return won;
    };
    const wins = await Promise.all([...links, ...links].map(write));
    const { position } = await links[0]!.read("doc", { ttlMs: 1_000 });
    expect(wins.reduce((sum, won) => sum + won)).toBe(position.offset);
  });
}
