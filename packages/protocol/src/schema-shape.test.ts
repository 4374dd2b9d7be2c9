import { expect, test } from "vitest";
import * as z from "zod";
import { defineProtocol } from "./define-protocol.js";
import { fingerprint, jsonSchema } from "./describe.js";
import type { Schema } from "./schema.js";

const of = (schema: Schema): string =>
  fingerprint(defineProtocol({ name: "one", version: "1.0.0", requests: { ask: { input: schema } } }));

/** Makes a new recursive object. */
const tree = () => {
  const made: z.ZodObject<{ name: z.ZodString; below: z.ZodType }> = z.object({
    name: z.string(),
    get below() {
      return z.array(made);
    },
  });
  return made;
};
const one = tree();
const pair = (x: Schema, y: Schema): Schema => z.object({ x, y } as { x: z.ZodType; y: z.ZodType });
const name = z.property("name", z.literal("root"));

test("[PR7] the fingerprint differs between copies of a recursive object that accept different values", () => {
  const copies = [
    pair(one, one),
    pair(one, one.strict()),
    pair(one, one.loose()),
    pair(one, one.catchall(z.number())),
    pair(one, one.catchall(z.number().min(1))),
    pair(one, one.check(name)),
    pair(one, one.extend({ size: z.int() })),
    pair(one, one.partial()),
    pair(one, one.omit({ name: true })),
    z.union([one, one.partial()]),
  ];
  expect(new Set(copies.map(of)).size).toBe(copies.length);
});

test("[PR7] the fingerprint differs between a recursive object that contains itself and one that contains a copy", () => {
  const strict: z.ZodObject = z.object({ get below(): z.ZodType { return strict.strict().optional(); } }); // prettier-ignore
  const loose: z.ZodObject = z.object({ get below(): z.ZodType { return loose.loose().optional(); } }); // prettier-ignore
  const plain: z.ZodObject = z.object({ get below(): z.ZodType { return plain.optional(); } }); // prettier-ignore
  expect(new Set([strict, loose, plain].map(of)).size).toBe(3);
});

test("[PR7] the fingerprint does not depend on whether a part is shared, copied or written twice", () => {
  expect(of(pair(one, one))).toBe(of(pair(tree(), tree())));
  expect(of(pair(one, one.describe("the same")))).toBe(of(pair(one, one)));
  expect(of(pair(z.json(), z.json()))).toBe(of(((shared) => pair(shared, shared))(z.json())));
  const twice: z.ZodObject = z.object({
    name: z.string(),
    get below(): z.ZodType {
      return z.array(z.object({ name: z.string(), below: z.array(twice) }));
    },
  });
  expect(of(twice)).toBe(of(one));
});

test("[PR7] the fingerprint does not depend on which fields were read before", () => {
  const [read, unread] = [tree(), tree()];
  const strict = read.strict();
  expect([Object.keys(strict.shape), Object.keys(read.shape)]).toEqual([["name", "below"], ["name", "below"]]); // prettier-ignore
  expect(of(pair(read, strict))).toBe(of(pair(unread, unread.strict())));
});

test.each<[string, Schema, Schema]>([
  ["`readonly` before a recursive schema", pair(z.string().readonly(), one), pair(z.string(), one)],
  ["`lazy` before a recursive schema", pair(z.lazy(() => z.string()), one), pair(z.string(), one)], // prettier-ignore
  ["a lazy recursive schema", z.lazy(() => tree()), one],
])("[PR7] the fingerprint does not depend on %s", (_name, first, second) => {
  expect(of(first)).toBe(of(second));
});

test.each<[string, Schema, Schema]>([
  ["readonly", z.array(z.int()).readonly().check(z.minLength(3)), z.array(z.int()).readonly()],
  ["lazy", z.lazy(() => z.string()).check(z.minLength(3)), z.lazy(() => z.string())],
])("[PR7] the fingerprint depends on a check after %s", (_name, checked, unchecked) => {
  expect(of(checked)).not.toBe(of(unchecked));
});

test("[PR7] the fingerprint depends on the properties that only some checks and kinds have", () => {
  const shapes = z.object({ a: z.unknown() });
  const kinds = [
    z.stringFormat("id", /^a$/),
    z.stringFormat("id", /^b$/),
    z.mac(),
    z.mac({ delimiter: "-" }),
    shapes.check(z.properties({ a: z.number() })),
    shapes.check(z.properties({ a: z.string() })),
    shapes.check(z.property("a", z.number())),
    shapes.check(z.property("a", z.string())),
    z.discriminatedUnion("type", [z.object({ type: z.literal("a") })]),
    z.discriminatedUnion("type", [z.object({ type: z.literal("a") })], { unionFallback: true }),
    z.url({ hostname: z.regexes.domain }),
    z.url({ hostname: z.regexes.hostname }),
    z.date().min(new Date(Number.NaN)),
  ];
  expect(new Set(kinds.map(of)).size).toBe(kinds.length);
});

test("[PR7] the fingerprint reads each schema once, even if every schema contains the previous one twice", () => {
  let deep: z.ZodType = one;
  for (let level = 0; level < 20; level++) deep = z.object({ x: deep, y: z.union([deep, z.null()]) });
  const wide = z.object(Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`f${at}`, z.array(one)])));
  // Reading each schema once for every path to it would take a million steps, longer than the time
  // limit of a test.
  expect(of(pair(deep, wide))).toMatch(/^[0-9a-f]{16}$/);
});

test("[PR7] `jsonSchema` of a bigint with a default leaves `BigInt.prototype` unchanged", () => {
  const own = Object.getOwnPropertyDescriptor(BigInt.prototype, "toJSON");
  jsonSchema(z.object({ a: z.bigint().default(1n) }));
  expect(Object.getOwnPropertyDescriptor(BigInt.prototype, "toJSON")).toEqual(own);
});
