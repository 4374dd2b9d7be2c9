import * as full from "zod";
import * as z from "zod/mini";
import { describe as group, expect, test } from "vitest";
import { defineProtocol, type ProtocolDefinition } from "./define-protocol.js";
import { describe, fingerprint, jsonSchema } from "./describe.js";
import type { Schema } from "./schema.js";

const base = {
  name: "agents",
  version: "1.0.0",
  requests: {
    start: { input: z.object({ id: z.string(), at: z.date() }), output: z.string(), errors: { FULL: z.object({}) } },
  },
  channels: { board: { key: z.uuid(), events: { drawn: z.string() }, document: z.object({}), presence: z.string() } },
  direct: { paused: z.number() },
  parameters: z.object({ session: z.string() }),
} satisfies ProtocolDefinition;

const of = (definition: ProtocolDefinition): string => fingerprint(defineProtocol(definition));
const first = of(base);

group("the fingerprint", () => {
  test("[PR7] the fingerprint is 16 hex characters, the same on every run", () => {
    expect(first).toMatch(/^[0-9a-f]{16}$/);
    expect(of({ ...base })).toBe(first);
    expect(first).toBe("abd9f129e3e29ff5");
  });

  test.each<[string, ProtocolDefinition]>([
    ["an input", { ...base, requests: { start: { ...base.requests.start, input: z.object({ id: z.string() }) } } }],
    [
      "a length",
      { ...base, requests: { start: { ...base.requests.start, output: z.string().check(z.maxLength(5)) } } },
    ],
    [
      "whether a field may be left out",
      {
        ...base,
        requests: { start: { ...base.requests.start, input: z.object({ id: z.optional(z.string()), at: z.date() }) } },
      },
    ],
    [
      "a date that becomes a string",
      {
        ...base,
        requests: { start: { ...base.requests.start, input: z.object({ id: z.string(), at: z.iso.datetime() }) } },
      },
    ],
    ["the kind of a request", { ...base, requests: { start: { ...base.requests.start, kind: "query" } } }],
    ["an error", { ...base, requests: { start: { ...base.requests.start, errors: {} } } }],
    ["the name of a request", { ...base, requests: { begin: base.requests.start } }],
    ["a key", { ...base, channels: { board: { ...base.channels.board, key: z.string() } } }],
    ["an event", { ...base, channels: { board: { ...base.channels.board, events: { drawn: z.number() } } } }],
    ["a document", { ...base, channels: { board: { ...base.channels.board, document: z.object({ a: z.string() }) } } }],
    ["a presence", { ...base, channels: { board: { ...base.channels.board, presence: z.number() } } }],
    ["a direct event", { ...base, direct: { resumed: z.number() } }],
    ["a parameter", { ...base, parameters: z.object({ session: z.uuid() }) }],
    ["the bound of a date", { ...base, direct: { paused: z.date().check(z.minimum(new Date(0))) } }],
    ["the size of a map", { ...base, direct: { paused: z.map(z.string(), z.string()).check(z.maxSize(2)) } }],
  ])("[PR7] the fingerprint changes with %s", (_name, definition) => {
    expect(of(definition)).not.toBe(first);
  });

  test.each<[string, ProtocolDefinition]>([
    ["the name and the version of the protocol", { ...base, name: "other", version: "2.0.0" }],
    [
      "descriptions",
      {
        ...base,
        description: "x",
        requests: { start: { ...base.requests.start, description: "y" } },
        channels: { board: { ...base.channels.board, description: "z" } },
      },
    ],
    [
      "the order of fields",
      { ...base, requests: { start: { ...base.requests.start, input: z.object({ at: z.date(), id: z.string() }) } } },
    ],
    [
      "how long events are stored",
      { ...base, channels: { board: { ...base.channels.board, history: { size: 5, ttlMs: 5_000 } } } },
    ],
    [
      "descriptions, titles, examples and ids of a schema",
      {
        ...base,
        direct: { paused: full.number().meta({ id: "Paused", title: "t", description: "d", examples: [1] }) },
      },
    ],
    [
      "full zod instead of zod/mini",
      {
        ...base,
        channels: {
          board: {
            key: full.uuid(),
            events: { drawn: full.string() },
            document: full.object({}),
            presence: full.string(),
          },
        },
      },
    ],
  ])("[PR7] the fingerprint does not change with %s", (_name, definition) => {
    expect(of(definition)).toBe(first);
  });

  test("[PR7] the fingerprint differs between schemas that a peer can tell apart, even if their JSON Schema is equal", () => {
    const inputs: readonly Schema[] = [
      ...[full.date(), full.map(full.string(), full.date()), full.map(full.int(), full.date()), full.set(full.date())],
      ...[full.date().min(new Date(5)), full.date().min(new Date(6)), full.bigint(), full.bigint().min(1n)],
      ...[full.string().optional(), full.string().nullable(), full.string().nullish(), full.string().default("a")],
      ...[
        full.literal("1"),
        full.literal(1),
        full.literal(1n),
        full.literal([1, 2]),
        full.enum(["a"]),
        full.enum(["b"]),
      ],
      ...[full.record(full.string(), full.int()), full.record(full.uuid(), full.int())],
      ...[full.record(full.enum(["a"]), full.int()), full.partialRecord(full.enum(["a"]), full.int())],
      ...[full.object({ a: full.int() }), full.looseObject({ a: full.int() }), full.strictObject({ a: full.int() })],
      ...[full.number().min(1), full.number().gt(1), full.number().max(1), full.number().multipleOf(2), full.int()],
      ...[full.email(), full.email({ pattern: /@a/ }), full.url(), full.url({ protocol: /^https$/ }), full.uuidv7()],
      ...[
        full.iso.datetime(),
        full.iso.datetime({ offset: true }),
        full.string().regex(/a/),
        full.string().regex(/a/i),
      ],
      ...[full.tuple([full.int()]), full.tuple([full.int()], full.int()), full.array(full.int())],
    ];
    const found = inputs.map((input) => of({ ...base, requests: { start: { input } } }));
    expect(new Set(found).size).toBe(inputs.length);
  });

  test.each<[string, Schema, Schema]>([
    ["the order of checks", full.string().min(1).max(5), full.string().max(5).min(1)],
    ["the order of literals", full.literal(["a", "b"]), full.literal(["b", "a"])],
    ["the order of an enum", full.enum(["a", "b"]), full.enum(["b", "a"])],
    ["whether a check is a method or a function", full.string().email(), full.email()],
    ["readonly", full.object({ a: full.int() }).readonly(), full.object({ a: full.int() })],
    ["a refinement", full.string().refine(() => true), full.string()],
    ["the value of a default", full.string().default("a"), full.string().default("b")],
  ])("[PR7] the fingerprint does not depend on %s", (_name, one, two) => {
    const [first, second] = [one, two].map((input) => of({ ...base, requests: { start: { input } } }));
    expect(first).toBe(second);
  });

  test("[PR7] the fingerprint does not depend on the order of fields in a recursive schema", () => {
    const one = full.object({ a: full.int(), get b() { return full.array(one); } }); // prettier-ignore
    const two = full.object({ get b() { return full.array(two); }, a: full.int() }); // prettier-ignore
    const other = full.object({ get b() { return full.array(other); }, a: full.string() }); // prettier-ignore
    const [first, second, third] = [one, two, other].map((input) => of({ ...base, requests: { start: { input } } }));
    expect(first).toBe(second);
    expect(first).not.toBe(third);
  });

  test("[PR7] the fingerprint of 24 schemas that all contain each other takes one step per reference", () => {
    const nodes: Schema[] = Array.from({ length: 24 }, (_, index) =>
      full.lazy(() =>
        full.object(Object.fromEntries(nodes.map((node, to) => [`${index}-${to}`, (node as full.ZodType).optional()]))),
      ),
    );
    expect(of({ ...base, requests: { start: { input: nodes[0]! } } })).toMatch(/^[0-9a-f]{16}$/);
  });

  test("[PR7] the fingerprint does not depend on defaults that are computed anew each time", () => {
    const definition = {
      ...base,
      direct: {
        paused: z.object({
          id: z._default(z.string(), () => crypto.randomUUID()),
          at: z._default(z.date(), () => new Date()),
        }),
      },
    };
    expect(of(definition)).toBe(of(definition));
  });
});

group("the JSON Schema of a value", () => {
  test.each<[string, Schema, object]>([
    ["Date", z.date(), { type: "string", format: "date-time", "x-holdfast-type": "Date" }],
    [
      "BigInt",
      z.bigint().check(z.gte(1n)),
      { type: "string", pattern: "^-?\\d{1,1024}$", "x-holdfast-type": "bigint", "x-minimum": "1" },
    ],
    ["BigInt literal", z.literal([1n, 2n]), { enum: ["1", "2"], "x-holdfast-type": "bigint" }],
    ["NaN", z.nan(), { type: "string", const: "NaN", "x-holdfast-type": "number" }],
    [
      "Set",
      z.set(z.string()).check(z.size(2)),
      {
        type: "array",
        items: { type: "string" },
        uniqueItems: true,
        "x-holdfast-type": "set",
        minItems: 2,
        maxItems: 2,
      },
    ],
    [
      "Map",
      z.map(z.string(), z.date()),
      {
        type: "array",
        "x-holdfast-type": "map",
        items: {
          type: "array",
          prefixItems: [{ type: "string" }, { type: "string", format: "date-time", "x-holdfast-type": "Date" }],
          items: false,
          minItems: 2,
          maxItems: 2,
        },
      },
    ],
    [
      "a field with a default, which is optional for the sender",
      z.object({ a: z._default(z.string(), "x") }),
      { type: "object", properties: { a: { type: "string", default: "x" } } },
    ],
    [
      "a BigInt as a default",
      z.object({ a: z._default(z.bigint(), 5n) }),
      {
        type: "object",
        properties: { a: { type: "string", pattern: "^-?\\d{1,1024}$", "x-holdfast-type": "bigint", default: "5" } },
      },
    ],
    [
      "a Date as an example",
      z.date().check(z.meta({ examples: [new Date(0)] })),
      { type: "string", format: "date-time", "x-holdfast-type": "Date", examples: ["1970-01-01T00:00:00.000Z"] },
    ],
    [
      "a schema with an id, written in full",
      z.object({ a: full.string().meta({ id: "Name" }) }),
      { type: "object", properties: { a: { type: "string", title: "Name" } }, required: ["a"] },
    ],
    ["anything", z.any(), {}],
    ["nothing", z.void(), { "x-holdfast-type": "undefined" }],
  ])("[PR7] `jsonSchema` of %s describes the value in a frame", (_name, schema, expected) => {
    expect(jsonSchema(schema)).toEqual(expected);
  });

  test("[PR7] `jsonSchema` of a map that contains itself ends", () => {
    const tree = z.object({
      children: z.map(
        z.string(),
        z.lazy((): z.ZodMiniType => tree),
      ),
    });
    expect(() => JSON.stringify(jsonSchema(tree))).not.toThrow();
  });

  test("[PR7] `jsonSchema` for draft 7 describes the pairs of a map with `items` and `additionalItems`", () => {
    expect(jsonSchema(z.map(z.string(), z.int()), { target: "draft-07", annotations: false })).toMatchObject({
      items: { items: [{ type: "string" }, { type: "integer" }], additionalItems: false },
    });
  });
});

test("[PR7] `describe` returns plain JSON in the order of the definition", () => {
  const description = describe(defineProtocol({ ...base, requests: { z: { description: "last letter" }, a: {} } }));
  expect(JSON.parse(JSON.stringify(description))).toEqual(description);
  expect(Object.keys(description.requests)).toEqual(["z", "a"]);
  expect(description.requests["z"]).toEqual({ kind: "once", description: "last letter", errors: {} });
});
