/**
 * The program that zod-versions.mjs runs with each version of zod 4. This program runs the README's
 * program and describes schemas of every kind that the oldest version has. The output is one line
 * of JSON, which must be the same with every version.
 */
import { defineProtocol, type Schema } from "@holdfast/protocol";
import { fingerprint, jsonSchema } from "@holdfast/protocol/describe";
import * as z from "zod";
import { agents } from "../../docs/snippets/protocol.js";

const text = z.string();
interface Tree {
  readonly name: string;
  readonly below: Tree[];
}
const getters: z.ZodType<Tree> = z.object({
  name: text,
  get below() {
    return z.array(getters);
  },
});
const copies: z.ZodType<Tree> = z.lazy(() => z.object({ name: text, below: z.array(copies.describe("below")) }));
const tree = () => {
  const made: z.ZodObject<{ name: z.ZodString; below: z.ZodType }> = z.object({
    name: text,
    get below() {
      return z.array(made);
    },
  });
  return made;
};
const own = tree();
const letters = z.enum(["a", "b"]);

/**
 * Types that JSON cannot hold. Holdfast itself writes the JSON Schema of these types, so that
 * result must also be the same with every version.
 */
const rich: { readonly [name: string]: Schema } = {
  date: z.date(),
  dateMin: z.date().min(new Date(5)),
  dateDefault: z.date().default(new Date(7)),
  bigint: z.bigint(),
  bigintMin: z.bigint().min(1n),
  bigintDefault: z.object({ a: z.bigint().default(1n) }),
  map: z.map(text, z.date()),
  mapOfSets: z.map(z.object({ id: z.int() }), z.set(text)),
  mapDefault: z.map(text, z.bigint()).default(new Map([["a", 1n]])),
  set: z.set(z.bigint()),
  setMin: z.set(text).min(1),
  nan: z.nan(),
  undefined: z.undefined(),
  void: z.void(),
  literals: z.literal([12n, "a"]),
  literalOrNone: z.literal(["a", undefined]),
};

const plain: { readonly [name: string]: Schema } = {
  text,
  textMin: text.min(2).max(5),
  textLength: text.length(3),
  regex: text.regex(/^a/),
  includes: text.includes("x"),
  startsWith: text.startsWith("x"),
  endsWith: text.endsWith("x"),
  lowercase: text.lowercase(),
  uppercase: text.uppercase(),
  textDefault: text.default("a"),
  textCatch: text.catch("a"),
  textCoerced: z.coerce.string(),
  pipe: text.pipe(text.min(1)),
  email: z.email(),
  guid: z.guid(),
  uuid: z.uuid(),
  uuid7: z.uuidv7(),
  url: z.url(),
  emoji: z.emoji(),
  nanoid: z.nanoid(),
  cuid: z.cuid(),
  cuid2: z.cuid2(),
  ulid: z.ulid(),
  xid: z.xid(),
  ksuid: z.ksuid(),
  dateTime: z.iso.datetime(),
  dateTimeOffset: z.iso.datetime({ precision: 3, offset: true }),
  isoDate: z.iso.date(),
  isoTime: z.iso.time(),
  isoDuration: z.iso.duration(),
  ipv4: z.ipv4(),
  ipv6: z.ipv6(),
  cidrv4: z.cidrv4(),
  cidrv6: z.cidrv6(),
  base64: z.base64(),
  base64url: z.base64url(),
  e164: z.e164(),
  jwt: z.jwt(),
  template: z.templateLiteral(["b-", z.number()]),
  number: z.number(),
  numberMin: z.number().min(1).max(5),
  numberAbove: z.number().gt(1).lt(5),
  numberStep: z.number().multipleOf(3),
  int: z.int(),
  float32: z.float32(),
  uint32: z.uint32(),
  boolean: z.boolean(),
  null: z.null(),
  any: z.any(),
  unknown: z.unknown(),
  literal: z.literal("a"),
  literalNumber: z.literal(1),
  enum: letters,
  enumMixed: z.enum({ one: 1, two: "two" }),
  object: z.object({ a: text.optional(), b: z.number() }),
  loose: z.looseObject({ a: text }),
  strict: z.strictObject({ a: text }),
  catchall: z.object({ a: text }).catchall(z.number()),
  getters,
  extended: own.extend({ size: z.int() }),
  partial: own.partial(),
  required: own.required(),
  omitted: own.omit({ name: true }),
  partialOrNot: z.union([own, own.partial()]),
  twoTrees: z.object({ x: own, y: own }),
  treeAndStrict: z.object({ x: own, y: own.strict() }),
  treeAndLoose: z.object({ x: own, y: own.loose() }),
  treeAndCatchall: z.object({ x: own, y: own.catchall(z.number()) }),
  array: z.array(text).min(1),
  tuple: z.tuple([text]),
  tupleRest: z.tuple([text, z.boolean().optional()], z.number()),
  record: z.record(text, z.number()),
  recordAll: z.record(letters, z.number()),
  recordSome: z.partialRecord(letters, z.number()),
  recordRegex: z.record(text.regex(/^x/), text),
  listMin: z.array(z.int()).readonly().check(z.minLength(3)),
  domain: z.url({ hostname: z.regexes.domain }),
  hostname: z.url({ hostname: z.regexes.hostname }),
  union: z.union([z.literal("all"), z.int()]),
  discriminated: z.discriminatedUnion("type", [
    z.object({ type: z.literal("a"), b: text }),
    z.object({ type: z.literal("b") }),
  ]),
  intersection: z.intersection(z.object({ a: text }), z.object({ b: z.number() })),
  optional: text.optional(),
  nullable: z.number().nullable(),
  nullish: z.object({}).nullish(),
  nonoptional: text.optional().nonoptional(),
  json: z.json(),
};

/** The schema named before `=` has the same fingerprint as the schema named after it. */
const alike: { readonly [pair: string]: Schema } = {
  "copies=getters": copies,
  "trees=twoTrees": z.object({ x: tree(), y: tree() }),
  "trimmed=text": text.trim(),
  "readonly=loose": z.looseObject({ a: text }).readonly(),
  "email2=email": text.email(),
  "int2=int": z.number().int(),
};

const print = (schema: Schema): string =>
  fingerprint(defineProtocol({ name: "one", version: "1.0.0", requests: { ask: { input: schema } } }));
const prints = new Map(Object.entries({ ...plain, ...rich }).map(([name, schema]) => [name, print(schema)]));
for (const [name, found] of prints)
  for (const [other, its] of prints) check(name === other || found !== its, `${name} has the fingerprint of ${other}`);
for (const [pair, schema] of Object.entries(alike)) {
  const [name, other] = pair.split("=") as [string, string];
  check(print(schema) === prints.get(other), `${name} has another fingerprint than ${other}`);
}

const said: string[] = [];
const { log } = console;
console.log = (line: string) => void said.push(line);
const { server } = await import("../../docs/snippets/server.js");
const { client } = await import("../../docs/snippets/client.js");
client.disconnect();
await server.close();
console.log = log;
check(said.includes("a1 is running") && said.some((line) => line.startsWith("started at 20")), said.join(", "));

const forms = Object.entries(rich).map(([name, schema]) => [name, jsonSchema(schema)]);
console.log(JSON.stringify({ agents: fingerprint(agents), prints: [...prints], forms }));

function check(isRight: boolean, message: string): void {
  if (!isRight) throw new Error(message);
}
