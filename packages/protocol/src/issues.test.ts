import * as full from "zod";
import * as z from "zod/mini";
import { describe, expect, test } from "vitest";
import { formatPath } from "./issues.js";
import type { Schema } from "./schema.js";
import { valueSchema } from "./value.js";

function faultOf(schema: Schema, value: unknown): string | undefined {
  const received = valueSchema(schema).receive(value, undefined, "input");
  return received.ok ? undefined : received.fault.message;
}

const at = (schema: Schema, value: unknown, sentence: string, field = "input") =>
  [schema, value, field, sentence] as const;

describe("sentences", () => {
  test.each([
    at(z.string(), 5, "expected string, received number"),
    at(z.object({ a: z.string() }), { a: null }, "expected string, received null", "input.a"),
    at(z.object({ a: z.string() }), [], "expected object, received array"),
    at(z.object({ a: z.string() }), {}, "expected string, but it is missing", "input.a"),
    at(z.object({ a: z.unknown() }), {}, "is missing", "input.a"),
    at(
      z.object({ "two words": z.array(z.object({ at: z.string() })) }),
      { "two words": [{ at: "" }, { at: true }] },
      "expected string, received boolean",
      'input["two words"][1].at',
    ),
    at(z.number(), Number.NaN, "expected number, received NaN"),
    at(z.number(), Infinity, "expected number, received Infinity"),
    at(z.date(), new Date(Number.NaN), "expected date, received an invalid date"),
    at(z.date(), "2026-01-15", "expected date, received string"),
    at(z.string(), new Date(0), "expected string, received date"),
    at(z.literal("a"), "b", 'expected "a"'),
    at(z.literal(5), "5", "expected 5"),
    at(z.enum(["a", "b"]), "c", 'expected one of "a", "b"'),
    at(z.email(), "nobody", "expected a valid email"),
    at(z.uuid(), "1", "expected a valid uuid"),
    at(z.string().check(z.regex(/^[a-z]+$/)), "A", "expected text that matches /^[a-z]+$/"),
    at(z.string().check(z.minLength(1)), "", "expected at least 1 character"),
    at(z.string().check(z.maxLength(2)), "abc", "expected at most 2 characters"),
    at(z.array(z.string()).check(z.minLength(2)), ["a"], "expected at least 2 items"),
    at(
      z.map(z.string(), z.string()).check(z.maxSize(1)),
      new Map([
        ["a", ""],
        ["b", ""],
      ]),
      "expected at most 1 entry",
    ),
    at(z.set(z.string()).check(z.minSize(2)), new Set(), "expected at least 2 items"),
    at(z.number().check(z.gt(5)), 5, "expected more than 5"),
    at(z.number().check(z.lt(5)), 5, "expected less than 5"),
    at(z.number().check(z.gte(5)), 4, "expected at least 5"),
    at(z.bigint().check(z.lte(5n)), 6n, "expected at most 5"),
    at(
      z.date().check(z.minimum(new Date("2026-01-01T00:00:00Z"))),
      new Date(0),
      "expected at least 2026-01-01T00:00:00.000Z",
    ),
    at(z.number().check(z.multipleOf(5)), 7, "expected a multiple of 5"),
    at(z.strictObject({}), { extra: 1 }, "is not a known field", "input.extra"),
    at(
      z.record(z.string().check(z.maxLength(1)), z.string()),
      { ab: "" },
      "has a key that is not valid (expected at most 1 character)",
      "input.ab",
    ),
    at(z.map(z.date(), z.string()), new Map([["a", "b"]]), "expected date, received string", "input.a"),
    at(z.set(z.number()), new Set(["a"]), "expected number, received string"),
    at(z.union([z.string(), z.number()]), true, "matches none of the alternatives"),
    at(
      z.union([z.string(), z.object({ a: z.object({ b: z.number() }) })]),
      { a: { b: "" } },
      "expected number, received string",
      "input.a.b",
    ),
    at(
      z.discriminatedUnion("kind", [z.object({ kind: z.literal("a") })]),
      { kind: "b" },
      '"b" is not a known kind',
      "input.kind",
    ),
    at(
      z.discriminatedUnion("kind", [z.object({ kind: z.literal("a") })]),
      { kind: { a: 1 } },
      "object is not a known kind",
      "input.kind",
    ),
    at(z.discriminatedUnion("kind", [z.object({ kind: z.literal("a") })]), {}, "is missing", "input.kind"),
    at(z.string().check(z.refine(() => false)), "a", "is not valid"),
    at(z.never(), 1, "expected never, received number"),
  ])("[WR8] %#: the field, what was expected, and what came", (schema, value, field, sentence) => {
    expect(faultOf(schema, value)).toBe(`${field}: ${sentence}.`);
  });

  test("[WR8] a message that the application wrote is the one that is said", () => {
    expect(faultOf(z.string().check(z.minLength(3, "a name has three letters.")), "a")).toBe(
      "input: a name has three letters.",
    );
    expect(faultOf(full.string({ error: "tell us your name" }), 5)).toBe("input: tell us your name.");
    expect(faultOf(z.object({ a: z.string().check(z.refine(() => false, "is taken")) }), { a: "x" })).toBe(
      "input.a: is taken.",
    );
  });

  test("[WR8] what a peer chose is cut to 64 characters, and not in the middle of one", () => {
    const kind = z.discriminatedUnion("kind", [z.object({ kind: z.literal("a") })]);
    expect(faultOf(kind, { kind: `${"x".repeat(63)}👍👍` })).toBe(
      `input.kind: "${"x".repeat(63)}…" is not a known kind.`,
    );
    expect(faultOf(z.strictObject({}), { ["y".repeat(100)]: 1 })).toBe(
      `input.${"y".repeat(64)}: is not a known field.`,
    );
  });

  test("[WR8] a refinement that throws is not quoted to the peer", () => {
    const schema = z.string().check(
      z.refine(() => {
        throw new Error("database password is hunter2");
      }),
    );
    const received = valueSchema(schema).receive("a", undefined, "input");
    expect(received).toMatchObject({ ok: false, fault: { field: "input", message: "input: could not be validated." } });
    expect(JSON.stringify(received)).not.toContain("hunter2");
  });

  test("[WR8] a refinement that is asynchronous is refused rather than waited for", () => {
    expect(faultOf(z.string().check(z.refine(async () => true)), "a")).toBe(
      "input: cannot be validated, because a check of its schema is asynchronous.",
    );
  });
});

test("[WR8] paths read like code", () => {
  expect(formatPath("input", ["items", 0, "at"])).toBe("input.items[0].at");
  expect(formatPath("", ["data", "a b", "$c", "1d"])).toBe('data["a b"].$c["1d"]');
  expect(formatPath("", [])).toBe("");
});
