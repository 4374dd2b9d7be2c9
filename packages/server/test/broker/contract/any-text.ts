import { expect, test } from "vitest";
import { all, docOf, log, newId, readDocument, set } from "../../support/broker-participant.js";
import { until } from "../../support/until.js";
import type { ContractParts } from "../broker-contract.js";

const odd = [
  "constructor",
  "__proto__",
  "hasOwnProperty",
  "a b",
  "a:b",
  "{a}",
  "a}b{c",
  "}",
  "{",
  "%7b",
  "ä ∑ 😀",
  "\u0000\n",
  "x".repeat(255),
];

/**
 * Names and bodies: topics, fields, keys, bodies and documents may be any string, including strings
 * with separators of Redis keys or with property names of JavaScript objects.
 */
export function anyTextContract({ join }: ContractParts): void {
  test("[BR25] topics, fields and keys may be any string, and different strings never collide", async () => {
    const [one, two] = [join(), join()];
    await Promise.all(odd.map((topic) => one.link.subscribe(topic)));
    for (const topic of odd) {
      const answer = await two.link.publish(topic, newId(), topic, {
        log,
        table: set(topic, topic),
        key: topic.slice(0, 128),
      });
      expect(answer, topic).toMatchObject({ outcome: "appended", position: { offset: 1 } });
      expect(answer.previous).toBeUndefined();
    }
    await until(() => one.heard.length === odd.length);
    for (const topic of odd) {
      expect(one.on(topic).map(({ body, entry }) => [body, entry])).toEqual([[topic, { field: topic, value: topic }]]);
      const { events, entries } = await two.link.read(topic, { log: all, table: true, ttlMs: 1_000 });
      expect(events.map(({ body }) => body)).toEqual([topic]);
      expect([...entries]).toEqual([[topic, topic]]);
    }
    await two.link.publish("fields", newId(), "", { table: set("", "") });
    for (const field of odd) await two.link.publish("fields", newId(), "", { table: set(field, field) });
    const { entries } = await one.link.read("fields", { table: true, ttlMs: 1_000 });
    expect(entries).toEqual(new Map([["", ""], ...odd.map((field): [string, string] => [field, field])]));
  });

  test("[BR26] a body may be any string, including an empty string and 1 MiB", async () => {
    const [one, two] = [join(), join()];
    await one.link.subscribe("bodies");
    const bodies = [
      "",
      "0",
      "null",
      "1:2:3:4:",
      "\r\n$5\r\n",
      "ä ∑ 😀 \u2028",
      JSON.stringify("\ud800 alone"),
      "\u0000",
      "m".repeat(2 ** 20),
    ];
    for (const body of bodies) await two.link.publish("bodies", newId(), body, { log });
    await until(() => one.heard.length === bodies.length);
    expect(one.on("bodies").map(({ body }) => body)).toEqual(bodies);
    const { events } = await two.link.read("bodies", { log: all, ttlMs: 1_000 });
    expect(events.map(({ body }) => body)).toEqual(bodies);
  });

  test("[BR57] a document may be any string, including an empty string and 256 KiB", async () => {
    const [one, two] = [join(), join()];
    const texts = [
      "",
      "0",
      "null",
      "\r\n$5\r\n",
      "ä ∑ 😀 \u2028 \u0000 \uffff",
      JSON.stringify("\ud800 alone"),
      "😀".repeat(2 ** 16),
      "m".repeat(2 ** 18),
    ];
    let expected = "";
    for (const text of texts) {
      const id = newId();
      const { outcome } = await one.link.publish("board", id, "", { log, document: docOf(text, expected) });
      expect(outcome).toBe("appended");
      const { document } = await readDocument(two.link);
      expect(document?.id).toBe(id);
      expect(document?.text === text, text.slice(0, 20)).toBe(true);
      expected = id;
    }
    for (const topic of odd) {
      await one.link.publish(topic, newId(), "", { log, document: docOf(topic, "") });
      expect((await readDocument(two.link, topic)).document?.text).toBe(topic);
    }
  });
}
