import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shareParts } from "./share.js";

const at = (ms: number): Date => new Date(ms);

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  (value instanceof Map || value instanceof Set ? [...value] : Object.values(value)).forEach(deepFreeze);
  return Object.freeze(value);
}

describe("sharing parts of two values", () => {
  test.each([
    ["a string", "a", "a"],
    ["plain NaN", Number.NaN, Number.NaN],
    ["an object", { a: 1, b: { c: [1, 2] } }, { b: { c: [1, 2] }, a: 1 }],
    ["a list", [{ a: 1 }, [2]], [{ a: 1 }, [2]]],
    ["a date", at(5), at(5)],
    ["an invalid date", at(Number.NaN), at(Number.NaN)],
    ["a map", new Map([["a", { b: 1 }]]), new Map([["a", { b: 1 }]])],
    ["a map with dates as keys", new Map([[at(1), { b: 1 }]]), new Map([[at(1), { b: 1 }]])],
    ["a set", new Set([{ a: 1 }, at(2)]), new Set([{ a: 1 }, at(2)])],
    ["a map with NaN as a value", new Map([["a", Number.NaN]]), new Map([["a", Number.NaN]])],
    ["nothing", undefined, undefined],
    ["a list with ids that occur twice", [{ id: 1, a: 1 }, { id: 1 }], [{ id: 1, a: 1 }, { id: 1 }]],
  ])("[SC2] `shareParts` returns the previous value if the next value is equal: %s", (_what, previous, next) => {
    expect(shareParts(previous, next)).toBe(previous);
  });

  test.each([
    ["an object for a list", [], {}],
    ["one member fewer", { a: 1, b: undefined }, { a: 1 }],
    ["one member more", { a: 1 }, { a: 1, b: undefined }],
    ["a member of another name", { a: undefined }, { b: undefined }],
    ["an inherited name", {}, { toString: undefined }],
    ["a shorter list", [1, 2], [1]],
    ["a hole", [undefined], []],
    ["another date", at(1), at(2)],
    [
      "a map in another order",
      new Map([
        ["a", 1],
        ["b", 2],
      ]),
      new Map([
        ["b", 2],
        ["a", 1],
      ]),
    ],
    ["a map with another key for undefined", new Map([["a", undefined]]), new Map([["b", undefined]])],
    ["a map with -0", new Map([["a", 0]]), new Map([["a", -0]])],
    ["a set with fewer items", new Set([1, 2]), new Set([1])],
    ["a set with two items that equal one moved item", new Set([2, { id: 1 }]), new Set([{ id: 1 }, 3, { id: 1 }])],
    ["-0", 0, -0],
    ["a bigint", 1n, 1],
  ])("[SC2] `shareParts` returns the next value if both values differ: %s", (_what, previous, next) => {
    const shared = shareParts(previous, next);
    expect(shared).not.toBe(previous);
    expect(shared).toStrictEqual(next);
  });

  test("[SC2] `shareParts` keeps the identity of every part that did not change", () => {
    const previous = deepFreeze({
      list: [{ id: 1 }, { id: 2 }],
      map: new Map([
        ["a", { x: 1 }],
        ["b", { x: 2 }],
      ]),
      set: new Set([{ s: 1 }]),
    });
    const next = deepFreeze({
      list: [{ id: 1 }, { id: 3 }],
      map: new Map([
        ["b", { x: 2 }],
        ["c", { x: 3 }],
      ]),
      set: new Set([{ s: 1 }]),
    });
    const shared = shareParts(previous, next) as typeof previous;
    expect(shared).toStrictEqual(next);
    expect(shared.list[0]).toBe(previous.list[0]);
    expect(shared.map.get("b")).toBe(previous.map.get("b"));
    expect(shared.set).toBe(previous.set);
  });

  test("[SC2] `shareParts` matches a moved item of a list by its `id`, and shares the unchanged parts of the item", () => {
    const previous = deepFreeze([{ id: "a", at: { x: 1 } }, { id: 2, at: { x: 2 } }, { id: "c" }]);
    const next = deepFreeze([{ id: "c" }, { id: "a", at: { x: 1 }, more: true }, { id: "2" }, { id: 2, at: { x: 2 } }]);
    const shared = shareParts(previous, next) as unknown[];
    expect(shared).toStrictEqual(next);
    expect(shared[0]).toBe(previous[2]);
    expect(shared[1]).toHaveProperty("at", previous[0]!.at);
    expect((shared[1] as { at: unknown }).at).toBe(previous[0]!.at);
    expect(shared[3]).toBe(previous[1]);
  });

  test("[SC2] equal items keep their identity while items are moved, added and removed", () => {
    const id = fc.oneof(fc.nat(9), fc.nat(9).map(String));
    const item = fc.tuple(id, fc.nat(1)).map(([name, n]) => ({ id: name, in: { n } }));
    const list = fc.uniqueArray(item, { selector: ({ id }) => id, comparator: "SameValueZero" });
    fc.assert(
      fc.property(list, list, (previous, next) => {
        const shared = shareParts(previous, next) as typeof next;
        expect(shared).toStrictEqual(next);
        for (const one of shared) {
          const before = previous.find(({ id }) => id === one.id);
          if (before?.in.n === one.in.n) expect(one).toBe(before);
        }
      }),
    );
  });

  test("[SC2] for any two values the result equals the next value, and is the previous value if both are equal", () => {
    const value = fc.anything({
      withDate: true,
      withMap: true,
      withSet: true,
      withBigInt: true,
      withNullPrototype: false,
    });
    fc.assert(
      fc.property(value, value, (previous, next) => {
        expect(shareParts(previous, next)).toStrictEqual(next);
        expect(shareParts(shareParts(previous, next), next)).toStrictEqual(next);
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), (next) => {
        const copy: unknown = structuredClone(next);
        expect(shareParts(next, copy)).toBe(next);
      }),
    );
  });
});
