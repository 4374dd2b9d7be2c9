import { applyPatches } from "@holdfast/protocol/internal";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { difference } from "../../src/document/difference.js";

const card = (id: number, text = "x".repeat(20)) => ({ id, text });

describe("the difference between two documents", () => {
  test("[SD15] patches between any two documents turn one into the other", () => {
    const name = fc.constantFrom("a", "b", "id", "0", "length", "toString", "valueOf", "hasOwnProperty");
    const { document } = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: "small" }, fc.integer(), fc.string(), fc.constant(null), tie("list"), tie("object")),
      list: fc.array(tie("value"), { maxLength: 6 }),
      object: fc.dictionary(name, tie("value"), { maxKeys: 5, noNullPrototype: true }),
      document: fc.oneof(tie("list"), tie("object")),
    }));
    fc.assert(
      fc.property(document, document, (before, after) => {
        const given = structuredClone(before);
        expect(applyPatches(before, difference(before, after))).toEqual(after);
        expect(before).toEqual(given);
      }),
      { numRuns: 3_000 },
    );
  });

  test("[SD15] patches between two lists whose items have ids turn one list into the other", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 30 })),
        fc.uniqueArray(fc.integer({ min: 0, max: 30 })),
        (one, other) => {
          const before = { cards: one.map((id) => card(id)) };
          const after = { cards: other.map((id) => card(id, `${id}`)) };
          expect(applyPatches(before, difference(before, after))).toEqual(after);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("[SD15] removing one item of a list with ids takes one patch, and equal documents take no patch", () => {
    const before = { cards: Array.from({ length: 50 }, (_, id) => card(id)) };
    const after = { cards: before.cards.filter(({ id }) => id !== 20) };
    expect(difference(before, after)).toEqual([{ op: "remove", path: ["cards", 20] }]);
    expect(difference(before, structuredClone(before))).toEqual([]);
  });

  test("[SD15] a reordered list moves as few items as possible", () => {
    const before = { cards: Array.from({ length: 50 }, (_, id) => card(id)) };
    const after = { cards: [...before.cards.slice(1), before.cards[0]] };
    expect(difference(before, after)).toEqual([
      { op: "remove", path: ["cards", 0] },
      { op: "add", path: ["cards", 49], value: card(0) },
    ]);
    const tags = { tags: ["one", "two", "one", "three", "x".repeat(200)] };
    const fewer = { tags: ["one", "one", "three", "x".repeat(200)] };
    expect(difference(tags, fewer)).toEqual([{ op: "remove", path: ["tags", 1] }]);
  });

  test("[SD15] property names of Object.prototype are handled like any other name", () => {
    const before = { votes: { ann: 1 }, title: "x".repeat(200) };
    const after = { votes: { ann: 1, toString: 2 }, title: "x".repeat(200) };
    expect(difference(before, after)).toEqual([{ op: "add", path: ["votes", "toString"], value: 2 }]);
    expect(difference(after, before)).toEqual([{ op: "remove", path: ["votes", "toString"] }]);
  });

  test("[SD15] reversing 10,000 numbers, or changing 16,000 objects, takes one patch with the whole document", () => {
    const numbers = Array.from({ length: 10_000 }, (_, index) => index);
    const reversed = { numbers: [...numbers].reverse() };
    expect(difference({ numbers }, reversed)).toEqual([{ op: "replace", path: [], value: reversed }]);
    const long = (isDone: boolean) => Array.from({ length: 8_000 }, () => ({ text: "x".repeat(60), isDone }));
    const done = { first: long(true), second: long(false) };
    expect(difference({ first: long(false), second: long(false) }, done)).toEqual([
      { op: "replace", path: [], value: done },
    ]);
  });

  test("[SD15] if the patches are longer than the document, the whole document is used", () => {
    const before = { a: 1, b: 2, c: 3 };
    const after = { a: 4, b: 5, c: 6 };
    expect(difference(before, after)).toEqual([{ op: "replace", path: [], value: after }]);
    expect(difference(undefined, after)).toEqual([{ op: "add", path: [], value: after }]);
    expect(difference([], after)).toEqual([{ op: "replace", path: [], value: after }]);
  });
});
