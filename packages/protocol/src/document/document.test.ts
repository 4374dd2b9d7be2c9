import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../canonical-json.js";
import { MAX_STATE_DEPTH } from "../codec/shape.js";
import { documentFault } from "./document-fault.js";
import { hashOf } from "./hash.js";
import { applyPatches, type Patch } from "./patches.js";

const patch = (op: Patch["op"], path: (string | number)[], value?: unknown): Patch => ({ op, path, value });

describe("canonical JSON", () => {
  test("[ST1] `canonicalJson` gives the same string for any order of members", () => {
    expect(canonicalJson({ b: [1, { d: null, c: "é" }], a: true, 10: 0, 9: 0, none: undefined })).toBe(
      '{"10":0,"9":0,"a":true,"b":[1,{"c":"é","d":null}]}',
    );
  });

  test("[ST1] for any value, reversing the order of members does not change the canonical JSON", () => {
    const turned = (value: unknown): unknown => {
      if (typeof value !== "object" || value === null) return value;
      if (Array.isArray(value)) return value.map(turned);
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, member]) => [name, turned(member)]),
      );
    };
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(turned(value))).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe("the hash of a document", () => {
  /** The definition of FNV-1a, computed with bigints. */
  const reference = (text: string): string => {
    let hash = 0xcbf29ce484222325n;
    for (const byte of new TextEncoder().encode(text))
      hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
    return hash.toString(16).padStart(16, "0");
  };

  test("[ST2] `hashOf` is 64-bit FNV-1a over the UTF-8 of the canonical JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
        expect(hashOf(value)).toBe(reference(canonicalJson(value)));
      }),
      { numRuns: 300 },
    );
    expect(hashOf("é€😀")).toBe(reference('"é€😀"'));
  });

  test("[ST2] `hashOf` of no document is empty", () => {
    expect(hashOf(undefined)).toBe("");
  });
});

describe("patches", () => {
  const document = { a: { x: 1 }, b: [{ n: 1 }, { n: 2 }], c: "text" };

  test("[ST3] `applyPatches` keeps untouched parts as the same objects and does not change its argument", () => {
    const before = structuredClone(document);
    const after = applyPatches(document, [
      patch("replace", ["b", 1, "n"], 3),
      patch("add", ["b", 0], { n: 0 }),
      patch("remove", ["c"]),
      patch("add", ["d"], [1]),
      patch("add", ["d", 1], 2),
    ]) as typeof document;
    expect(after).toEqual({ a: { x: 1 }, b: [{ n: 0 }, { n: 1 }, { n: 3 }], d: [1, 2] });
    expect(after.a).toBe(document.a);
    expect(after.b[1]).toBe(document.b[0]);
    expect(document).toEqual(before);
  });

  test("[ST3] a patch with an empty path replaces or removes the whole document", () => {
    expect(applyPatches(undefined, [patch("add", [], { a: 1 }), patch("replace", ["a"], 2)])).toEqual({ a: 2 });
    expect(applyPatches(document, [patch("remove", [])])).toBeUndefined();
  });

  const deep = (levels: number): unknown => Array.from({ length: levels }).reduce<unknown>((inner) => [inner], 0);

  test.each([
    ["a path through `__proto__`", patch("add", ["__proto__", "polluted"], 1)],
    ["a path through `constructor`", patch("add", ["constructor", "prototype", "polluted"], 1)],
    ["a reserved name as the last name", patch("add", ["prototype"], 1)],
    ["an inherited member", patch("add", ["a", "toString", "polluted"], 1)],
    ["a missing member to replace", patch("replace", ["z"], 1)],
    ["a missing member to remove", patch("remove", ["z"])],
    ["an index after the end", patch("add", ["b", 3], 1)],
    ["an index before the beginning", patch("replace", ["b", -1], 1)],
    ["a fraction as an index", patch("replace", ["b", 0.5], 1)],
    ["the length of a list", patch("replace", ["b", "length"], 1e9)],
    ["a member of a string", patch("add", ["c", "x"], 1)],
    ["a number as a name", patch("add", [5], 1)],
    ["no value", patch("add", ["e"])],
    ["a value that is nested too deeply", patch("add", ["e"], deep(23))],
    [
      "a path that is too long",
      patch(
        "add",
        Array.from({ length: 24 }, () => "e"),
        1,
      ),
    ],
  ])("[ST4] a patch with %s throws and changes nothing", (_what, hostile) => {
    const before = structuredClone(document);
    expect(() => applyPatches(document, [patch("replace", ["c"], "changed"), hostile])).toThrow(Error);
    expect(document).toEqual(before);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("[ST4] `documentFault` refuses values that patches cannot change, and names the field", () => {
    expect(documentFault({ a: [{ b: 1 }] })).toBeUndefined();
    expect(documentFault([])).toBeUndefined();
    expect(documentFault("text")?.field).toBe("document");
    expect(documentFault({ a: [{ constructor: 1 }] })?.field).toBe("document.a[0].constructor");
    expect(documentFault(JSON.parse('{"__proto__":1}'))?.field).toBe("document.__proto__");
    expect(documentFault(deep(MAX_STATE_DEPTH))).toBeUndefined();
    expect(documentFault(deep(MAX_STATE_DEPTH + 1))?.message).toContain(String(MAX_STATE_DEPTH));
    expect(documentFault({ votes: { "A\ud83d": 1 } })?.field).toBe("document");
  });

  test("[ST4] a document of the greatest depth can be changed at the deepest path", () => {
    const path = Array.from({ length: 23 }, () => 0);
    expect(applyPatches(deep(23), [patch("replace", path, 1)])).toEqual(
      JSON.parse("[".repeat(23) + "1" + "]".repeat(23)),
    );
    expect(() => applyPatches(deep(23), [patch("replace", path, {})])).toThrow(Error);
  });
});
