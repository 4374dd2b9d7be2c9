import * as full from "zod";
import { describe, expect, test } from "vitest";
import { refusalOf } from "../test/refusals.js";
import { saying } from "../test/saying.js";
import type { Schema } from "./schema.js";

const text = full.string();

describe("the type of a document, a key and presence", () => {
  const event = { e: text };
  test.each<[string, Schema, string]>([
    ["a string", text, "string"],
    ["a date", full.date(), "date"],
    ["an object or a number", full.union([full.object({}), full.number()]), "number"],
    ["an object or null", full.object({}).nullable(), "null"],
    ["an object or undefined", full.lazy(() => full.object({}).optional()), "undefined"],
  ])("[PR13] the schema of a document that accepts %s is refused", (_name, state, type) => {
    expect(refusalOf({ channels: { c: { document: state } } }, "channels.c.document")).toEqual({
      at: "",
      message: saying(type),
    });
  });

  test.each<[string, Schema]>([
    ["a record", full.record(text, text)],
    ["a list with a default", full.array(text).default([])],
    [
      "a discriminated union of objects",
      full.discriminatedUnion("a", [full.object({ a: full.literal(1) }), full.object({ a: full.literal(2) })]),
    ],
    ["a lazy object", full.lazy(() => full.object({}))],
    ["anything", full.unknown()],
  ])("[PR13] the schema of a document that accepts %s is accepted", (_name, state) => {
    expect(refusalOf({ channels: { c: { document: state } } }, "")).toBeUndefined();
  });

  test.each<[string, Schema, string]>([
    ["is optional", text.optional(), ".default()"],
    ["is nullable", text.nullable(), "z.uuid()"],
    ["accepts a space", full.enum(["a", "b c"]), '"b c"'],
    ["accepts other characters than ASCII", full.literal("naïve"), '"naïve"'],
    ["accepts emoji", full.emoji(), "emoji"],
    ["is a coerced number", full.coerce.number(), "z.uuid()"],
  ])("[PR13] the schema of a key that %s is refused", (_name, key, fact) => {
    expect(refusalOf({ channels: { c: { key: key as Schema<string>, events: event } } }, "channels.c.key")).toEqual({
      at: "",
      message: saying(fact),
    });
  });

  test.each<[string, Schema]>([
    ["lazy", full.lazy(() => text)],
    ["a pipe of strings", text.pipe(full.uuid())],
    ["a string with a default", text.default("a")],
  ])("[PR13] the schema of a key that is %s is accepted", (_name, key) => {
    expect(refusalOf({ channels: { c: { key: key as Schema<string>, events: event } } }, "")).toBeUndefined();
  });

  test("[PR13] the schema of presence that accepts only undefined is refused", () => {
    expect(refusalOf({ channels: { c: { presence: full.undefined() } } }, "channels.c.presence")).toEqual({
      at: "",
      message: saying("z.object({})"),
    });
  });
});
