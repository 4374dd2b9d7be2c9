import * as full from "zod";
import * as z from "zod/mini";
import { describe, expect, test } from "vitest";
import { define, refusalOfInput } from "../test/refusals.js";
import { saying } from "../test/saying.js";
import { describe as describeProtocol } from "./describe.js";
import type { Schema } from "./schema.js";

const text = full.string();

describe("a schema whose output the other side cannot parse", () => {
  const [sets, maps] = [full.set(text), full.map(text, text)];
  test.each<[name: string, make: () => unknown, at: string, ...facts: string[]]>([
    ["a default that is too short", () => full.object({ a: text.min(3).default("") }), ".a", "default"],
    ["a default made by a function that is too short", () => text.min(3).default(() => ""), "", "default"],
    ["a prefault of another type", () => full.number().prefault("1" as never), "", "default"],
    ["a default of undefined", () => text.optional().default(undefined as never), "", "undefined", "z.optional()"],
    ["a default that is a function", () => full.any().default(() => () => 1), "", "function"],
    ["a default that is a symbol", () => z._default(z.any(), Symbol("a")), "", "symbol"],
    [
      "a default that contains itself",
      () => {
        const a: { a?: unknown } = {};
        a.a = a;
        return full.any().default(() => a);
      },
      "",
      "default",
      "value.a",
    ],
    [
      "a default that is a promise",
      () => full.any().default(() => Promise.reject(new Error("away"))),
      "",
      "asynchronous",
    ],
    ["a pipe into a number", () => text.pipe(full.coerce.number()), "", "string", "number"],
    [
      "a pipe into a date in a nested field",
      () => full.object({ a: full.array(text) }).pipe(full.object({ a: full.array(full.coerce.date()) }) as never),
      "",
      "string",
      "date",
      "a.(item)",
    ],
    [
      "a pipe that removes a field",
      () =>
        full
          .object({ a: text, b: full.object({ c: text }) })
          .pipe(full.object({ a: text, b: full.object({}) }) as never),
      "",
      "b.c",
    ],
    [
      "an overwrite that extends a string",
      () => full.object({ a: text.overwrite((value) => `${value}!`) }),
      ".a",
      "overwrites",
    ],
    [
      "an overwrite that moves a date",
      () => full.date().overwrite((at) => new Date(at.getTime() + 1)),
      "",
      "overwrites",
    ],
    ["an overwrite that extends a list", () => full.array(text).overwrite((list) => [...list, "a"]), "", "overwrites"],
    ["an overwrite that turns true into false", () => full.boolean().overwrite((value) => !value), "", "overwrites"],
    ["an overwrite that adds to a bigint", () => full.bigint().overwrite((value) => value + 1n), "", "overwrites"],
    ["an overwrite of zod/mini", () => z.number().check(z.overwrite((value) => value + 1)), "", "overwrites"],
    ["an intersection of two maps", () => full.intersection(full.map(text, text), full.map(text, text)), "", "z.map()"],
    [
      "an intersection with a set in a loose object",
      () => full.intersection(full.object({ a: full.set(text) }), full.object({ a: full.any() })),
      "",
      "z.set()",
    ],
    ["an intersection of two sets in a list", () => full.intersection(full.array(sets), full.array(sets)), "", "set"],
    [
      "an intersection of two sets in a tuple",
      () => full.intersection(full.tuple([sets]), full.array(sets)),
      "",
      "set",
    ],
    [
      "an intersection of two maps in a record and an object",
      () => full.intersection(full.record(text, maps), full.object({ a: maps })),
      "",
      "map",
    ],
    [
      "an intersection of two maps in nullable objects",
      () => full.intersection(full.object({ a: maps }).nullable(), full.object({ a: maps }).nullable()),
      "",
      "map",
    ],
    [
      "an intersection of a set with any value",
      () => full.intersection(full.any(), full.object({ a: sets })),
      "",
      "set",
    ],
    [
      "an intersection of NaN in a union",
      () => {
        const kinds = full.discriminatedUnion("k", [full.object({ k: full.literal("a"), v: full.nan() })]);
        return full.intersection(kinds, full.looseObject({}));
      },
      "",
      "nan",
    ],
    [
      "a discriminated union with an option without a fixed discriminator",
      () => full.discriminatedUnion("k", [full.object({ k: text }), full.object({ k: full.literal("b") })]),
      "",
      'Invalid discriminated union option at index "0"',
    ],
    [
      "a discriminated union with two options of the same discriminator",
      () => {
        const option = full.object({ k: full.literal("a") });
        return full.object({ a: full.discriminatedUnion("k", [option, option.extend({ b: text })]) });
      },
      ".a",
      'Duplicate discriminator value "a"',
    ],
    [
      "a field with a reserved name",
      () => full.object({ a: full.object({ constructor: full.date() }) }),
      ".a.constructor",
      "reserved",
    ],
  ])("[PR11] %s is refused", (_name, make, at, ...facts) => {
    expect(refusalOfInput(make)).toEqual({ at, message: saying(...facts) });
  });

  test.each<[string, Schema, unknown, unknown]>([
    ["a date", full.date().default(new Date(5)), new Date(5), "1970-01-01T00:00:00.005Z"],
    ["a map", full.map(text, full.bigint()).default(new Map([["a", 1n]])), new Map([["a", 1n]]), [["a", "1"]]],
    ["a bigint value", z._default(z.bigint(), 12n), 12n, "12"],
    ["a set in a prefault", full.set(full.bigint()).prefault(new Set([1n])), new Set([1n]), ["1"]],
  ])(
    "[PR11] a default that is %s is filled in, and the JSON Schema shows its form on the wire",
    (_name, schema, filled, json) => {
      const protocol = define(schema);
      const sent = protocol.requests.get("r")!.input.send(undefined, "input");
      if (!sent.ok) throw new Error(sent.fault.message);
      expect(protocol.requests.get("r")!.input.receive(sent.value.data, sent.value.meta, "input")).toEqual({
        ok: true,
        value: filled,
      });
      expect(describeProtocol(protocol).requests["r"]?.input).toMatchObject({ default: json });
    },
  );

  test("[PR11] two recursive schemas with many paths are compared without following every path", () => {
    const tree = (leaf: Schema): full.ZodType =>
      full.object({
        leaf,
        get left() {
          return tree1(leaf).describe("left").nullable();
        },
        get right() {
          return tree1(leaf).describe("right").nullable();
        },
      });
    const made = new Map<Schema, full.ZodType>();
    const tree1 = (leaf: Schema): full.ZodType => made.get(leaf) ?? made.set(leaf, tree(leaf)).get(leaf)!;
    const [one, two] = [tree1(text), tree1(full.string().min(1))];
    expect(() => define(full.intersection(one, two))).not.toThrow();
    expect(() => define(one.pipe(two))).not.toThrow();
  });

  test("[PR11] overwrites that do not change their own result are accepted: trim, case, normal form, rounding", () => {
    const schema = full.object({
      a: text.trim().toLowerCase().normalize("NFD"),
      b: full.number().overwrite(Math.round),
      c: text.pipe(text.min(2)),
      e: full.array(text).overwrite((list) => list.toSorted()),
      f: full.date().overwrite((at) => new Date(Math.floor(at.getTime() / 1_000) * 1_000)),
      d: full.object({ a: text.optional() }).pipe(full.object({ a: text.default("x") })),
    });
    expect(refusalOfInput(() => schema)).toBeUndefined();
  });
});
