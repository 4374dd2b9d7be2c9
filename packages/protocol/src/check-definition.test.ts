import * as full from "zod";
import * as z from "zod/mini";
import { expect, test } from "vitest";
import { saying } from "../test/saying.js";
import { defineProtocol, type ProtocolDefinition } from "./define-protocol.js";
import { readSchema } from "./schema.js";
import type { ValueSchema } from "./value.js";

const base = { name: "agents", version: "1.0.0" };
const text = z.string();
const event = { events: { happened: text } };

/** The message must contain each of the facts: the type, the bound or the schema to use instead. */
type Wrong = [name: string, definition: unknown, field: string, ...facts: string[]];

const wrong: Wrong[] = [
  ["nothing at all", undefined, "the definition", "name, version"],
  ["a list", [], "the definition", "name, version"],
  ["a schema in place of a definition", z.object({}), "the definition", "name, version"],
  ["an unknown value of deviceId", { ...base, deviceId: "always" }, "deviceId", '"optional"', '"required"'],
  ["a misspelt section", { ...base, request: {} }, "request", "requests"],
  ["no name", { version: "1.0.0" }, "name"],
  ["a name with a space", { ...base, name: "my agents" }, "name"],
  ["a version of one number", { ...base, version: "1" }, "version", '"1.0.0"'],
  ["a version that is a number", { ...base, version: 1 }, "version", '"1.0.0"'],
  ["a description that is not a string", { ...base, description: ["a"] }, "description"],
  // parameters
  ["parameters that are not a schema", { ...base, parameters: { id: text } }, "parameters"],
  ["parameters that are not an object", { ...base, parameters: text }, "parameters"],
  [
    "a parameter that is a number",
    { ...base, parameters: z.object({ page: z.optional(z.number()) }) },
    "parameters.page",
    "z.coerce.number()",
  ],
  [
    "a parameter that is a date",
    { ...base, parameters: z.object({ since: z.date() }) },
    "parameters.since",
    "z.coerce.date()",
  ],
  [
    "a parameter that is a boolean",
    { ...base, parameters: z.object({ quiet: full.coerce.boolean() }) },
    "parameters.quiet",
    'z.enum(["true", "false"])',
  ],
  ["a parameter that is a list", { ...base, parameters: z.object({ ids: z.array(text) }) }, "parameters.ids", "string"],
  ["a parameter that is an object", { ...base, parameters: z.object({ at: z.object({}) }) }, "parameters.at", "string"],
  // requests
  ["requests in a list", { ...base, requests: [] }, "requests"],
  ["requests that are null", { ...base, requests: null }, "requests"],
  ["a request that is a schema", { ...base, requests: { start: text } }, "requests.start", "kind, input, output"],
  ["a request that is a list", { ...base, requests: { start: [] } }, "requests.start", "kind, input, output"],
  ["a request named with a colon", { ...base, requests: { "a:b": {} } }, 'requests["a:b"]'],
  ["a request named $all", { ...base, requests: { $all: {} } }, "requests.$all"],
  ["a request named constructor", { ...base, requests: { constructor: {} } }, "requests.constructor"],
  ["a request named prototype", { ...base, requests: { prototype: {} } }, "requests.prototype"],
  [
    "a request with a name of 129 letters",
    { ...base, requests: { ["a".repeat(129)]: {} } },
    `requests.${"a".repeat(64)}`,
  ],
  [
    "a misspelt part of a request",
    { ...base, requests: { start: { inputs: text } } },
    "requests.start.inputs",
    "kind, input, output",
  ],
  [
    "an unknown kind of request",
    { ...base, requests: { start: { kind: "command" } } },
    "requests.start.kind",
    '"query", "mutation"',
    '"once"',
  ],
  ["an input that is not a schema", { ...base, requests: { start: { input: {} } } }, "requests.start.input"],
  [
    "an input of zod 3",
    { ...base, requests: { start: { input: { _def: {}, parse() {} } } } },
    "requests.start.input",
    "zod 3",
    "npm install zod@4",
  ],
  [
    "a description of a request that is not a string",
    { ...base, requests: { start: { description: 5 } } },
    "requests.start.description",
  ],
  [
    "an error in lower case",
    { ...base, requests: { start: { errors: { full: text } } } },
    "requests.start.errors.full",
    "UPPER_SNAKE_CASE",
  ],
  [
    "an error with a code of Holdfast",
    { ...base, requests: { start: { errors: { TIMEOUT: text } } } },
    "requests.start.errors.TIMEOUT",
  ],
  ...["RUN_LOST", "PRODUCER_LOST", "UNKNOWN_OUTCOME", "KEY_REUSED", "DOCUMENT_CONFLICT"].map((code): Wrong => [
    `an error with the reserved code ${code}`,
    { ...base, requests: { start: { errors: { [code]: text } } } },
    `requests.start.errors.${code}`,
  ]),
  [
    "an error without a schema",
    { ...base, requests: { start: { errors: { FULL: "full" } } } },
    "requests.start.errors.FULL",
  ],
  // values that cannot be sent
  [
    "a transform",
    { ...base, requests: { start: { input: full.object({ at: full.string().transform(Number) }) } } },
    "requests.start.input.at",
    "transform",
  ],
  [
    "a preprocess",
    { ...base, requests: { start: { input: full.preprocess(Number, full.number()) } } },
    "requests.start.input",
    "transform",
  ],
  [
    "a codec",
    {
      ...base,
      requests: {
        start: { output: z.codec(z.string(), z.date(), { decode: (value) => new Date(value), encode: String }) },
      },
    },
    "requests.start.output",
    "codec",
    "z.date()",
  ],
  [
    "a function",
    { ...base, channels: { a: { events: { f: z.object({ run: full.function() as never }) } } } },
    "channels.a.events.f.run",
    "function",
  ],
  ["a symbol in a list", { ...base, direct: { e: z.array(z.symbol()) } }, "direct.e.(item)", "symbol"],
  ["a promise in a union", { ...base, direct: { e: z.union([text, z.promise(text)]) } }, "direct.e", "promise"],
  ["a file in a tuple", { ...base, direct: { e: z.tuple([text, z.file()]) } }, 'direct.e["1"]', "file"],
  [
    "a transform as the value of a map",
    { ...base, direct: { e: z.map(text, full.string().transform(Number)) } },
    "direct.e.(value)",
    "transform",
  ],
  [
    "a transform as the key of a record",
    {
      ...base,
      direct: {
        e: full.record(
          full.string().transform((key) => key),
          full.string(),
        ),
      },
    },
    "direct.e.(key)",
    "transform",
  ],
  [
    "a transform inside a lazy schema",
    { ...base, direct: { e: z.lazy(() => z.nullable(full.string().transform(Number))) } },
    "direct.e",
    "transform",
  ],
  // channels
  ["a channel that is a list", { ...base, channels: { a: [] } }, "channels.a", "key, events, document"],
  [
    "a channel without events, document and presence",
    { ...base, channels: { a: {} } },
    "channels.a",
    "events",
    "document",
    "presence",
  ],
  [
    "a channel with an empty list of events",
    { ...base, channels: { a: { events: {} } } },
    "channels.a",
    "events",
    "document",
    "presence",
  ],
  ["a channel named with a colon", { ...base, channels: { "board:1": event } }, 'channels["board:1"]'],
  ["a key that is a number", { ...base, channels: { a: { ...event, key: z.number() } } }, "channels.a.key", "z.uuid()"],
  [
    "a key that is an enum of numbers",
    { ...base, channels: { a: { ...event, key: z.enum({ one: 1 }) } } },
    "channels.a.key",
    "z.uuid()",
  ],
  [
    "a key that may be a number",
    { ...base, channels: { a: { ...event, key: z.union([text, z.literal(1)]) } } },
    "channels.a.key",
    "z.uuid()",
  ],
  ["an event without a schema", { ...base, channels: { a: { events: { e: true } } } }, "channels.a.events.e"],
  [
    "an event named with a space",
    { ...base, channels: { a: { events: { "it happened": text } } } },
    'channels.a.events["it happened"]',
  ],
  [
    "a document with a symbol",
    { ...base, channels: { a: { document: z.object({ by: z.symbol() }) } } },
    "channels.a.document.by",
    "symbol",
  ],
  ["presence that is not a schema", { ...base, channels: { a: { presence: "name" } } }, "channels.a.presence"],
  [
    "a history that is a number",
    { ...base, channels: { a: { ...event, history: 256 } } },
    "channels.a.history",
    "size, ttlMs",
  ],
  [
    "a history with size 0",
    { ...base, channels: { a: { ...event, history: { size: 0, ttlMs: 5_000 } } } },
    "channels.a.history.size",
    "1",
    "100000",
  ],
  [
    "a history with a fraction as its size",
    { ...base, channels: { a: { ...event, history: { size: 1.5, ttlMs: 5_000 } } } },
    "channels.a.history.size",
    "1",
    "100000",
  ],
  [
    "a history with `ttlMs` in seconds",
    { ...base, channels: { a: { ...event, history: { size: 10, ttlMs: 300 } } } },
    "channels.a.history.ttlMs",
    "1000",
    "2592000000",
  ],
  [
    "a misspelt part of a history",
    { ...base, channels: { a: { ...event, history: { size: 10, ttl: 5_000 } } } },
    "channels.a.history.ttl",
    "size, ttlMs",
  ],
  // direct events
  ["direct events in a schema", { ...base, direct: z.object({}) }, "direct"],
  ["a direct event without a schema", { ...base, direct: { paused: undefined } }, "direct.paused"],
];

test.each(wrong)(
  "[PR1] `defineProtocol` refuses %s, and the error names the place",
  (_name, definition, field, ...facts) => {
    expect(() => defineProtocol(definition as ProtocolDefinition)).toThrow(
      expect.objectContaining({
        code: "INVALID_PROTOCOL",
        field,
        message: saying(`${field}: `, ...facts),
        remedy: expect.any(String),
      }),
    );
  },
);

test("[PR1] `defineProtocol` accepts every part of a definition, in full zod, in zod/mini, and mixed", () => {
  const protocol = defineProtocol({
    ...base,
    version: "0.3.0-beta.1",
    description: "Everything.",
    parameters: full.object({
      session: full.uuid(),
      page: full.coerce.number().int().optional(),
      since: z.optional(z.coerce.date()),
      mode: z._default(z.enum(["a", "b"]), "a"),
      kind: z.literal(["x", "y"]),
      any: z.union([z.literal("all"), z.string().check(z.minLength(2))]),
    }),
    requests: {
      "a.b-c_d": {
        kind: "query",
        input: full.object({ at: z.date() }),
        output: z.array(full.bigint()),
        errors: { NOT_1: text },
      },
      once: {},
    },
    channels: {
      "with-key": {
        key: full.templateLiteral(["b-", full.number()]),
        document: z.object({ a: z.map(text, z.set(text)) }),
        presence: full.string(),
      },
      plain: { ...event, history: { size: 1, ttlMs: 1_000 } },
    },
    direct: { hello: z.lazy(() => full.record(full.string(), full.date())) },
  });
  expect([...protocol.requests.keys()]).toEqual(["a.b-c_d", "once"]);
  expect(protocol.requests.get("once")).toMatchObject({ kind: "once" });
  const tags = (value: ValueSchema | undefined) => [...readSchema(value!.schema!).rich];
  expect(tags(protocol.channels.get("with-key")?.document)).toEqual(expect.arrayContaining(["map", "set"]));
  expect(tags(protocol.direct.get("hello"))).toContain("Date");
  expect(tags(protocol.channels.get("plain")?.events.get("happened"))).toEqual([]);
});

test("[PR1] `defineProtocol` accepts schemas that contain themselves", () => {
  const tree = full.object({
    name: full.string(),
    get children() {
      return full.array(tree);
    },
  });
  expect(() => defineProtocol({ ...base, direct: { tree } })).not.toThrow();
});
