import * as full from "zod";
import * as z from "zod/mini";
import { describe, expect, test } from "vitest";
import type { Schema } from "@holdfast/protocol";
import { jsonSchema } from "@holdfast/protocol/describe";
import { valueSchema } from "@holdfast/protocol/internal";
import { examplesOf } from "./examples.js";
import { synthesize } from "./synthesize.js";

describe("examplesOf a schema with examples", () => {
  test("[DC2] returns each example in wire form, with `meta` for values that JSON cannot hold", () => {
    const schema = full.object({ at: full.date() }).meta({ examples: [{ at: new Date(0) }, { at: new Date(1) }] });
    expect(examplesOf(schema, "direct.a")).toEqual([
      { data: { at: "1970-01-01T00:00:00.000Z" }, meta: { values: { at: ["Date"] }, v: 1 } },
      { data: { at: "1970-01-01T00:00:00.001Z" }, meta: { values: { at: ["Date"] }, v: 1 } },
    ]);
  });

  test("[DC2] finds examples that zod/mini sets with check or register", () => {
    expect(examplesOf(z.string().check(z.meta({ examples: ["a"] })), "direct.a")).toEqual([{ data: "a" }]);
    expect(examplesOf(z.string().register(z.globalRegistry, { examples: ["b"] }), "direct.a")).toEqual([{ data: "b" }]);
  });

  test("[DC2] an example that does not match is INVALID_PROTOCOL with the place and the field", () => {
    const schema = full.object({ id: full.uuid() }).meta({ examples: [{ id: crypto.randomUUID() }, { id: "a1" }] });
    expect(() => examplesOf(schema, "requests.start.input")).toThrow(
      expect.objectContaining({
        code: "INVALID_PROTOCOL",
        field: "requests.start.input",
        message: expect.stringContaining("examples[1].id") as string,
        remedy: expect.stringContaining(".meta({ examples: [ … ] })") as string,
      }),
    );
  });

  test("[DC2] an example in wire form instead of the application's form is INVALID_PROTOCOL", () => {
    const schema = z.date().check(z.meta({ examples: ["2026-01-15T09:30:00.000Z"] }));
    expect(() => examplesOf(schema, "direct.a")).toThrow(
      expect.objectContaining({ code: "INVALID_PROTOCOL", field: "direct.a" }),
    );
  });
});

const Tree = full.object({
  name: full.string(),
  get left() {
    return Tree.nullable();
  },
  get list() {
    return full.array(Tree);
  },
  get map() {
    return full.map(full.string(), Tree);
  },
});

describe("examples that synthesize makes", () => {
  test.each<[string, Schema]>([
    ["text", z.string()],
    ["text of a length", z.string().check(z.length(7))],
    ["long text", z.string().check(z.minLength(100))],
    ["uuid", z.uuid()],
    ["email", z.email()],
    ["url", z.url()],
    ["date and time", z.iso.datetime()],
    ["date", z.iso.date()],
    ["time", z.iso.time()],
    ["duration", z.iso.duration()],
    ["IPv4", z.ipv4()],
    ["IPv6", z.ipv6()],
    ["network", z.cidrv4()],
    ["MAC address", z.mac()],
    ["base64", z.base64()],
    ["base64url", z.base64url()],
    ["JWT", z.jwt()],
    ["nanoid", z.nanoid()],
    ["cuid2", z.cuid2()],
    ["ulid", z.ulid()],
    ["xid", z.xid()],
    ["ksuid", z.ksuid()],
    ["emoji", z.emoji()],
    ["phone number", z.e164()],
    ["host name", z.hostname()],
    ["pattern of digits", z.string().check(z.regex(/^\d{4,}$/))],
    ["pattern of a colour", z.string().check(z.regex(/^#[0-9a-f]{6}$/))],
    ["text that starts with something", z.string().check(z.startsWith("a"), z.minLength(3))],
    ["template", full.templateLiteral(["a", full.number().int().max(9)])],
    ["number", z.number()],
    ["number within bounds", z.number().check(z.gt(5), z.lt(6))],
    ["negative number", z.number().check(z.lte(-10))],
    ["multiple", z.int().check(z.multipleOf(7), z.gte(3))],
    ["BigInt within bounds", z.bigint().check(z.gte(100n))],
    ["Date within bounds", z.date().check(z.maximum(new Date(0)))],
    ["literal", z.literal(["b", "c"])],
    ["enum", z.enum(["x", "y"])],
    ["record of an enum", z.record(z.enum(["x", "y"]), z.int())],
    ["partial record", z.partialRecord(z.enum(["x", "y"]), z.int())],
    ["list of at least three", z.array(z.string()).check(z.minLength(3))],
    ["tuple", z.tuple([z.string(), z.date()], z.number())],
    ["map", z.map(z.date(), z.set(z.bigint()))],
    ["union whose first part cannot be made up", z.union([z.string().check(z.regex(/^never-\d{13}$/)), z.boolean()])],
    ["intersection", z.intersection(z.object({ a: z.string() }), z.object({ b: z.number() }))],
    ["discriminated union", z.discriminatedUnion("a", [z.object({ a: z.literal(1) }), z.object({ a: z.literal(2) })])],
    ["schema that contains itself", Tree],
    ["everything optional", z.partial(z.object({ a: z.string(), b: z.date() }))],
    ["nullable that cannot be made up", z.nullable(z.string().check(z.regex(/^never-\d{13}$/)))],
    ["nothing", z.void()],
    ["anything", z.unknown()],
    ["NaN", z.nan()],
    ["readonly, caught, prefaulted", full.string().prefault("a").catch("b").readonly()],
  ])("[DC3] %s: the value matches its schema after a round trip, and is always the same", (_name, schema) => {
    const value = synthesize(schema);
    expect(valueSchema(schema).send(value, "value")).toMatchObject({ ok: true });
    expect(examplesOf(schema, "direct.a")).toEqual(examplesOf(schema, "direct.a"));
    expect(synthesize(schema)).toEqual(value);
  });

  test("[DC3] leaves out optional fields and puts one item in a list", () => {
    const schema = z.object({
      a: z.string(),
      b: z.optional(z.string()),
      c: z._default(z.number(), 5),
      d: z.array(z.int()),
    });
    expect(synthesize(schema)).toEqual({ a: "a", d: [1] });
  });

  test("[DC3] uses the examples of parts of the schema", () => {
    const schema = z.object({ id: z.string().check(z.meta({ examples: ["primes-5f0c"] })), at: z.date() });
    expect(synthesize(schema)).toEqual({ id: "primes-5f0c", at: new Date("2026-01-15T09:30:00.000Z") });
  });

  test.each<[string, Schema, string]>([
    [
      "a pattern",
      z.object({ list: z.array(z.object({ id: z.string().check(z.regex(/^x\d{7}y$/)) })).check(z.minLength(1)) }),
      "requests.a.input.list.(item).id",
    ],
    ["a custom check", z.object({ at: z.custom<URL>((value) => value instanceof URL) }), "requests.a.input.at"],
    ["something that is never", z.object({ no: z.never() }), "requests.a.input.no"],
  ])("[DC3] %s: no example can be made, and the error names the field", (_name, schema, field) => {
    expect(() => examplesOf(schema, "requests.a.input")).toThrow(
      expect.objectContaining({ code: "INVALID_PROTOCOL", field }),
    );
  });

  test("[DC3] a value that a refinement refuses is an error with the refinement's message", () => {
    const schema = z.object({ a: z.string() }).check(z.refine(({ a }) => a.includes("@"), "needs an @"));
    expect(() => examplesOf(schema, "direct.a")).toThrow(
      expect.objectContaining({ field: "direct.a", message: expect.stringContaining("needs an @") as string }),
    );
  });
});

test.each<[string, Schema]>([
  ["plain", z.object({ a: z.string(), b: z.array(z.int()) })],
  ["rich", z.object({ at: z.date(), big: z.bigint(), set: z.set(z.string()), map: z.map(z.string(), z.date()) })],
  ["recursive", z.lazy((): z.ZodMiniType => z.object({ a: z.union([z.string(), z.array(z.string())]) }))],
])(
  "[DC4] the JSON Schema of a %s value accepts the value's example when zod reads the schema back",
  (_name, schema) => {
    const [{ data }] = examplesOf(schema, "direct.a");
    expect(full.fromJSONSchema(jsonSchema(schema) as never).safeParse(data).success).toBe(true);
  },
);
