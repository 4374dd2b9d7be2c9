import * as full from "zod";
import * as z from "zod/mini";
import { describe, expect, test } from "vitest";
import { saying } from "../test/saying.js";
import { type Fault, formatPath } from "./issues.js";
import type { Schema } from "./schema.js";
import { valueSchema } from "./value.js";

function faultOf(schema: Schema, value: unknown): Fault | undefined {
  const received = valueSchema(schema).receive(value, undefined, "input");
  return received.ok ? undefined : received.fault;
}

const at = (schema: Schema, value: unknown, facts: readonly string[], field = "input") =>
  [schema, value, field, facts] as const;

describe("sentences", () => {
  test.each([
    at(z.string(), 5, ["string", "number"]),
    at(z.object({ a: z.string() }), { a: null }, ["string", "null"], "input.a"),
    at(z.object({ a: z.string() }), [], ["object", "array"]),
    at(z.object({ a: z.string() }), {}, ["string"], "input.a"),
    at(z.object({ a: z.unknown() }), {}, [], "input.a"),
    at(
      z.object({ "two words": z.array(z.object({ at: z.string() })) }),
      { "two words": [{ at: "" }, { at: true }] },
      ["string", "boolean"],
      'input["two words"][1].at',
    ),
    at(z.number(), Number.NaN, ["number", "NaN"]),
    at(z.number(), Infinity, ["number", "Infinity"]),
    at(z.date(), new Date(Number.NaN), ["date", "invalid"]),
    at(z.date(), "2026-01-15", ["date", "string"]),
    at(z.string(), new Date(0), ["string", "date"]),
    at(z.literal("a"), "b", ['"a"']),
    at(z.literal(5), "5", ["5"]),
    at(z.enum(["a", "b"]), "c", ['"a"', '"b"']),
    at(z.email(), "nobody", ["email"]),
    at(z.uuid(), "1", ["uuid"]),
    at(z.string().check(z.regex(/^[a-z]+$/)), "A", ["/^[a-z]+$/"]),
    at(z.string().check(z.minLength(1)), "", ["1 character"]),
    at(z.string().check(z.maxLength(2)), "abc", ["2 characters"]),
    at(z.array(z.string()).check(z.minLength(2)), ["a"], ["2 items"]),
    at(
      z.map(z.string(), z.string()).check(z.maxSize(1)),
      new Map([
        ["a", ""],
        ["b", ""],
      ]),
      ["1 entry"],
    ),
    at(z.set(z.string()).check(z.minSize(2)), new Set(), ["2 items"]),
    at(z.number().check(z.gt(5)), 5, ["5"]),
    at(z.number().check(z.lt(5)), 5, ["5"]),
    at(z.number().check(z.gte(5)), 4, ["5"]),
    at(z.bigint().check(z.lte(5n)), 6n, ["5"]),
    at(z.date().check(z.minimum(new Date("2026-01-01T00:00:00Z"))), new Date(0), ["2026-01-01T00:00:00.000Z"]),
    at(z.number().check(z.multipleOf(5)), 7, ["5"]),
    at(z.strictObject({}), { extra: 1 }, [], "input.extra"),
    at(z.record(z.string().check(z.maxLength(1)), z.string()), { ab: "" }, ["1 character"], "input.ab"),
    at(z.map(z.date(), z.string()), new Map([["a", "b"]]), ["date", "string"], "input.a"),
    at(z.set(z.number()), new Set(["a"]), ["number", "string"]),
    at(z.union([z.string(), z.number()]), true, []),
    at(
      z.union([z.string(), z.object({ a: z.object({ b: z.number() }) })]),
      { a: { b: "" } },
      ["number", "string"],
      "input.a.b",
    ),
    at(
      z.discriminatedUnion("kind", [z.object({ kind: z.literal("a") })]),
      { kind: "b" },
      ['"b"', "kind"],
      "input.kind",
    ),
    at(
      z.discriminatedUnion("kind", [z.object({ kind: z.literal("a") })]),
      { kind: { a: 1 } },
      ["object", "kind"],
      "input.kind",
    ),
    at(z.discriminatedUnion("kind", [z.object({ kind: z.literal("a") })]), {}, [], "input.kind"),
    at(z.string().check(z.refine(() => false)), "a", []),
    at(z.never(), 1, ["never", "number"]),
  ])(
    "[WR8] %#: the message names the field, the expected type or bound, and the received type",
    (schema, value, field, facts) => {
      expect(faultOf(schema, value)).toEqual({ field, message: saying(`${field}: `, ...facts) });
    },
  );

  test("[WR8] a message that the application sets on a schema takes precedence", () => {
    expect(faultOf(z.string().check(z.minLength(3, "a name has three letters.")), "a")?.message).toBe(
      "input: a name has three letters.",
    );
    expect(faultOf(full.string({ error: "tell us your name" }), 5)?.message).toBe("input: tell us your name.");
    expect(faultOf(z.object({ a: z.string().check(z.refine(() => false, "is taken")) }), { a: "x" })?.message).toBe(
      "input.a: is taken.",
    );
  });

  test("[WR8] a value or key that a peer chose is cut to 64 characters, never inside a surrogate pair", () => {
    const kind = z.discriminatedUnion("kind", [z.object({ kind: z.literal("a") })]);
    expect(faultOf(kind, { kind: `${"x".repeat(63)}👍👍` })?.message).toEqual(saying(`"${"x".repeat(63)}…"`));
    expect(faultOf(z.strictObject({}), { ["y".repeat(100)]: 1 })?.field).toBe(`input.${"y".repeat(64)}`);
  });

  test("[WR8] if a refinement throws, the message does not quote the error", () => {
    const schema = z.string().check(
      z.refine(() => {
        throw new Error("database password is hunter2");
      }),
    );
    const received = valueSchema(schema).receive("a", undefined, "input");
    expect(received).toMatchObject({ ok: false, fault: { field: "input" } });
    expect(JSON.stringify(received)).not.toContain("hunter2");
  });

  test("[WR8] if a refinement is asynchronous, the value is refused", () => {
    expect(faultOf(z.string().check(z.refine(async () => true)), "a")).toMatchObject({
      field: "input",
      message: saying("asynchronous"),
    });
  });
});

test("[WR8] `formatPath` writes a path as code and quotes keys that are not plain names", () => {
  expect(formatPath("input", ["items", 0, "at"])).toBe("input.items[0].at");
  expect(formatPath("", ["data", "a b", "$c", "1d"])).toBe('data["a b"].$c["1d"]');
  expect(formatPath("", [])).toBe("");
});
