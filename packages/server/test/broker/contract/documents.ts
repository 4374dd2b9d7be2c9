import { expect, test } from "vitest";
import type { AppendOptions } from "../../../src/broker/broker.js";
import { all, docOf, log, newId, readDocument, remove, set } from "../../support/broker-participant.js";
import { until } from "../../support/until.js";
import type { ContractParts } from "../broker-contract.js";

/**
 * Documents: a publication may replace the document of its topic if the publication names the id of
 * the document that is replaced.
 */
export function documentContract({ join, forget }: ContractParts): void {
  test("[BR50] a publication may carry a document; the document has the publication's id and `read` returns it on request", async () => {
    const [one, two] = [join(), join()];
    expect((await readDocument(one.link)).document).toBeUndefined();
    const [first, second] = [newId(), newId()];
    const { position } = await one.link.publish("board", first, "a", { log, document: docOf("A", "") });
    expect(await readDocument(two.link)).toMatchObject({ position, document: { id: first, text: "A" } });
    await two.link.publish("board", second, "b", { log, document: docOf("B", first) });
    expect((await readDocument(one.link)).document).toEqual({ id: second, text: "B" });
    const others = [{ ttlMs: 1_000 }, { log: all, ttlMs: 1_000 }, { table: true, document: false, ttlMs: 1_000 }];
    for (const options of others) expect((await one.link.read("board", options)).document).toBeUndefined();
  });

  test("[BR59] `read` with the id of the current document returns `isKnown` instead of its text; any other id returns the text", async () => {
    const { link } = join();
    const readUnlessKnown = (known: string, document = true) =>
      link.read("board", { log: all, document, known, ttlMs: 60_000 });
    for (const none of ["", "another"]) {
      expect((await readUnlessKnown(none)).isKnown).toBeUndefined();
      expect((await readUnlessKnown(none)).document).toBeUndefined();
    }
    const [first, second] = [newId(), newId()];
    const { position } = await link.publish("board", first, "a", { log, document: docOf("A", "") });
    const known = await readUnlessKnown(first);
    expect(known).toMatchObject({ position, isKnown: true, events: [{ body: "a" }] });
    expect(known.document).toBeUndefined();
    await link.publish("board", newId(), "an event", { log });
    expect(await readUnlessKnown(first)).toMatchObject({ position: { offset: 2 }, isKnown: true });
    await link.publish("board", second, "b", { log, document: docOf("B", first) });
    for (const other of [first, "", second.slice(1)])
      expect(await readUnlessKnown(other)).toMatchObject({ document: { id: second, text: "B" } });
    expect((await readUnlessKnown(second, false)).isKnown).toBeUndefined();
  });

  test("[BR51] `read` returns the document of the returned position, even while others replace it", async () => {
    const [one, two] = [join(), join()];
    let isDone = false;
    const publishing = (async () => {
      for (let index = 1, expected = ""; index <= 300; index++) {
        const id = newId();
        await one.link.publish("board", id, `${index}`, { log, document: docOf(`text of ${index}`, expected) });
        expected = id;
      }
    })().finally(() => (isDone = true));
    let readings = 0;
    while (!isDone) {
      const { position, events, document } = await readDocument(two.link);
      readings++;
      if (position.offset === 0) continue;
      expect(document).toEqual({ id: position.id, text: `text of ${position.offset}` });
      expect(events.at(-1)).toMatchObject({ body: `${position.offset}`, link: { id: position.id } });
    }
    await publishing;
    expect(readings).toBeGreaterThan(5);
  });

  test("[BR52] the text of a document is neither delivered to subscribers nor stored in the log", async () => {
    const [one, two] = [join(), join()];
    await two.link.subscribe("board");
    const ids = [newId(), newId()] as const;
    await one.link.publish("board", ids[0], "a", { log, document: docOf("SECRET", "") });
    await one.link.publish("board", ids[1], "b", { log, document: docOf("SECRET TOO", ids[0]) });
    await until(() => two.heard.length === 2);
    const told = [
      { body: "a", link: { offset: 1, id: ids[0], prev: "" } },
      { body: "b", link: { offset: 2, id: ids[1], prev: ids[0] } },
    ];
    expect(two.on("board")).toEqual(told);
    expect((await readDocument(one.link)).events).toEqual(told);
  });

  test("[BR53] a document replaces only the expected document; a conflict changes nothing and is not delivered", async () => {
    const { link, heard, on } = join();
    await link.subscribe("board");
    const write = (text: string, expected: string, more: AppendOptions = {}) =>
      link.publish("board", newId(), text, { log, document: docOf(text, expected), ...more });
    // The topic has no document yet, so expecting a document is a conflict.
    expect(await write("0", "another")).toMatchObject({ outcome: "conflict", position: { offset: 0, id: "" } });
    expect((await readDocument(link)).document).toBeUndefined();
    const { position: first } = await write("1", "");
    const before = await readDocument(link);
    for (const expected of ["", "another", `${first!.id} `, first!.id.slice(1)])
      expect(await write("2", expected, { key: "k" }), expected).toEqual({ outcome: "conflict", position: first });
    expect(await readDocument(link)).toEqual(before);
    // The refused publication did not use up its key. A document and a position may be expected
    // together.
    const elsewhere = { offset: first!.offset + 1, id: first!.id };
    expect((await write("3", first!.id, { expected: elsewhere })).outcome).toBe("conflict");
    const { position: second, outcome } = await write("4", first!.id, { key: "k" });
    expect(outcome).toBe("appended");
    expect(await write("5", second!.id, { key: "k" })).toEqual({ outcome: "duplicate", position: second });
    expect((await readDocument(link)).document).toEqual({ id: second!.id, text: "4" });
    await write("6", second!.id);
    await until(() => heard.length === 3);
    expect(on("board").map(({ body, link: place }) => [body, place!.offset])).toEqual([
      ["1", 1],
      ["4", 2],
      ["6", 3],
    ]);
  });

  test("[BR54] of 20 concurrent writers that expect the same document exactly one succeeds", async () => {
    const participants = [join(), join()] as const;
    await participants[1].link.subscribe("board");
    let expected = "";
    for (let round = 1; round <= 20; round++) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          const body = `${round} of ${index}`;
          const { link } = participants[index % 2]!;
          return { body, ...(await link.publish("board", newId(), body, { log, document: docOf(body, expected) })) };
        }),
      );
      const won = answers.filter(({ outcome }) => outcome === "appended");
      expect(won).toHaveLength(1);
      expect(answers.filter(({ outcome }) => outcome === "conflict")).toHaveLength(19);
      const { body, position } = won[0]!;
      expect(position!.offset).toBe(round);
      for (const answer of answers) expect([0, 1]).toContain(round - answer.position!.offset);
      const reading = await readDocument(participants[0].link);
      expect(reading).toMatchObject({ position, document: { id: position!.id, text: body } });
      expect(reading.events).toHaveLength(round);
      expected = position!.id;
    }
    await until(() => participants[1].heard.length >= 20);
    expect(participants[1].on("board").map(({ link }) => link!.offset)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  });

  test("[BR55] a publication without a document keeps the current document", async () => {
    const [one, two] = [join(), join()];
    const id = newId();
    await one.link.publish("board", id, "drawn", { log, document: docOf("the board", "") });
    await two.link.publish("board", newId(), "an event", { log, key: "k" });
    await two.link.publish("board", newId(), "again", { log, key: "k" });
    await one.link.publish("board", newId(), "", { log, table: set("ann", "1") });
    await one.link.publish("board", newId(), "", { log, table: remove("bob") });
    const { position, document } = await readDocument(two.link);
    expect(document).toEqual({ id, text: "the board" });
    expect(position.offset).toBe(3);
    // Only the document is compared; the position of the topic may have moved on.
    const after = await two.link.publish("board", newId(), "drawn", { log, document: docOf("more", id) });
    expect(after).toMatchObject({ outcome: "appended", position: { offset: 4 } });
  });

  test("[BR56] a topic with a new epoch has no document", async () => {
    const { link } = join();
    const id = newId();
    const { position } = await link.publish("board", id, "drawn", { log, document: docOf("the board", "") });
    await forget("board");
    const reading = await readDocument(link);
    expect(reading.position).toMatchObject({ offset: 0, id: "" });
    expect(reading.position.epoch).not.toBe(position!.epoch);
    expect(reading.events).toEqual([]);
    expect(reading.document).toBeUndefined();
    const late = await link.publish("board", newId(), "drawn", { log, document: docOf("late", id) });
    expect(late).toEqual({ outcome: "conflict", position: reading.position });
    const anew = await link.publish("board", newId(), "drawn", { log, document: docOf("anew", "") });
    expect(anew).toMatchObject({ outcome: "appended", position: { epoch: reading.position.epoch, offset: 1 } });
    await forget("board");
    const fresh = newId();
    await link.publish("board", fresh, "drawn", { log, document: docOf("fresh", "") });
    expect((await readDocument(link)).document).toEqual({ id: fresh, text: "fresh" });
  });
}
