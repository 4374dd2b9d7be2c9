import fc from "fast-check";
import * as full from "zod";
import * as mini from "zod/mini";
import { expect, test } from "vitest";
import { jsonSchema } from "../src/json-schema.js";
import { readSchema, type Schema } from "../src/schema.js";
import { valueSchema } from "../src/value.js";

/** The same schema in zod and in zod/mini. */
const pairs: readonly [name: string, good: readonly unknown[], full: Schema, mini: Schema][] = [
  ["text", ["ab", "abcd"], full.string().min(2).max(4), mini.string().check(mini.minLength(2), mini.maxLength(4))],
  ["pattern", ["", "abc"], full.string().regex(/^[a-c]*$/), mini.string().check(mini.regex(/^[a-c]*$/))],
  ["number", [-2, 3], full.number().gt(-3).lte(3), mini.number().check(mini.gt(-3), mini.lte(3))],
  ["integer", [0, 4], full.int().multipleOf(2), mini.int().check(mini.multipleOf(2))],
  ["literal", ["a", 1, null], full.literal(["a", 1, null]), mini.literal(["a", 1, null])],
  ["enum", ["a", "b"], full.enum(["a", "b"]), mini.enum(["a", "b"])],
  ["date", [new Date(0)], full.date().min(new Date(0)), mini.date().check(mini.minimum(new Date(0)))],
  ["bigint", [5n, -1n], full.bigint().max(5n), mini.bigint().check(mini.lte(5n))],
  ["list", [[], ["a", "b"]], full.array(full.string()).max(2), mini.array(mini.string()).check(mini.maxLength(2))],
  ["tuple", [["a", 1]], full.tuple([full.string(), full.number()]), mini.tuple([mini.string(), mini.number()])],
  [
    "record",
    [{}, { a: 1 }],
    full.record(full.string().max(1), full.number()),
    mini.record(mini.string().check(mini.maxLength(1)), mini.number()),
  ],
  ["map", [new Map([["a", 1]])], full.map(full.string(), full.number()), mini.map(mini.string(), mini.number())],
  ["set", [new Set([1])], full.set(full.number()).max(2), mini.set(mini.number()).check(mini.maxSize(2))],
  [
    "object",
    [{ c: null }, { a: "a", b: 2, c: true, d: 1 }],
    full.object({ a: full.string().optional(), b: full.number().default(1), c: full.boolean().nullable() }),
    mini.object({
      a: mini.optional(mini.string()),
      b: mini._default(mini.number(), 1),
      c: mini.nullable(mini.boolean()),
    }),
  ],
  ["strict object", [{ a: "a" }], full.strictObject({ a: full.string() }), mini.strictObject({ a: mini.string() })],
  [
    "discriminated union",
    [{ a: 1, b: "b" }, { a: 2 }],
    full.discriminatedUnion("a", [
      full.object({ a: full.literal(1), b: full.string() }),
      full.object({ a: full.literal(2) }),
    ]),
    mini.discriminatedUnion("a", [
      mini.object({ a: mini.literal(1), b: mini.string() }),
      mini.object({ a: mini.literal(2) }),
    ]),
  ],
  [
    "union",
    ["a", { a: { b: 1 } }],
    full.union([full.string(), full.object({ a: full.object({ b: full.number() }) })]),
    mini.union([mini.string(), mini.object({ a: mini.object({ b: mini.number() }) })]),
  ],
  [
    "intersection",
    [{ a: "a", b: 1 }],
    full.intersection(full.object({ a: full.string() }), full.object({ b: full.number() })),
    mini.intersection(mini.object({ a: mini.string() }), mini.object({ b: mini.number() })),
  ],
];

/** Values of which about half match a schema. */
const leaf = fc.oneof(
  fc.constantFrom(null, true, false, "", "a", "ab", "abcab", 0, 1, 2, -3, 2.5, Infinity, Number.NaN, 4n, 6n, undefined),
  fc.date({ noInvalidDate: false, min: new Date(-5), max: new Date(5) }),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "c", "ab"), tie("value"), { maxKeys: 3, noNullPrototype: true }),
    fc.array(fc.tuple(fc.constantFrom("a", "b"), tie("value")), { maxLength: 2 }).map((entries) => new Map(entries)),
    fc.array(tie("value"), { maxLength: 3 }).map((items) => new Set(items)),
  ),
}));

test.each(pairs)(
  "[PR2] %s: zod and zod/mini accept the same values and refuse others with the same message",
  (_name, good, one, other) => {
    const [first, second] = [valueSchema(one), valueSchema(other)];
    expect(readSchema(one).rich).toEqual(readSchema(other).rich);
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof({ weight: 4, arbitrary: value }, fc.constantFrom(...good)), (candidate) => {
        const verdict = first.send(candidate, "data");
        expect(second.send(candidate, "data")).toEqual(verdict);
        expect(second.receive(candidate, undefined, "data")).toEqual(first.receive(candidate, undefined, "data"));
        if (verdict.ok) accepted++;
      }),
      { numRuns: 400, seed: 20_260_115 },
    );
    expect(accepted, "at least one value was accepted; otherwise the test proves nothing").toBeGreaterThan(0);
  },
);

test.each(pairs)(
  "[PR7] %s: zod and zod/mini give the same JSON Schema, and therefore the same fingerprint",
  (_name, _good, one, other) => {
    expect(jsonSchema(one, { annotations: false })).toEqual(jsonSchema(other, { annotations: false }));
  },
);
