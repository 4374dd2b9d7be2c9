import * as full from "zod";
import { describe, expect, test } from "vitest";
import { refusalOf } from "../test/refusals.js";
import { saying } from "../test/saying.js";
import type { Schema } from "./schema.js";

const text = full.string();

describe("the root of a document, a key and what is shown", () => {
  const event = { e: text };
  test.each<[string, Schema, string]>([
    ["a text", text, "string"],
    ["a date", full.date(), "date"],
    ["an object or a number", full.union([full.object({}), full.number()]), "number"],
    ["an object or null", full.object({}).nullable(), "null"],
    ["an object or nothing", full.lazy(() => full.object({}).optional()), "undefined"],
  ])("[PR13] a document that is %s is refused", (_name, state, type) => {
    expect(refusalOf({ channels: { c: { document: state } } }, "channels.c.document")).toEqual({
      at: "",
      message: saying(type),
    });
  });

  test.each<[string, Schema]>([
    ["a record", full.record(text, text)],
    ["a list behind a default", full.array(text).default([])],
    [
      "objects told apart",
      full.discriminatedUnion("a", [full.object({ a: full.literal(1) }), full.object({ a: full.literal(2) })]),
    ],
    ["a lazy object", full.lazy(() => full.object({}))],
    ["anything", full.unknown()],
  ])("[PR13] a document that is %s is accepted", (_name, state) => {
    expect(refusalOf({ channels: { c: { document: state } } }, "")).toBeUndefined();
  });

  test.each<[string, Schema, string]>([
    ["may be left out", text.optional(), ".default()"],
    ["may be null", text.nullable(), "z.uuid()"],
    ["has a space", full.enum(["a", "b c"]), '"b c"'],
    ["is no ASCII", full.literal("naïve"), '"naïve"'],
    ["is an emoji", full.emoji(), "emoji"],
    ["is a number as text", full.coerce.number(), "z.uuid()"],
  ])("[PR13] a key that %s is refused", (_name, key, fact) => {
    expect(refusalOf({ channels: { c: { key: key as Schema<string>, events: event } } }, "channels.c.key")).toEqual({
      at: "",
      message: saying(fact),
    });
  });

  test.each<[string, Schema]>([
    ["lazy", full.lazy(() => text)],
    ["a pipe of texts", text.pipe(full.uuid())],
    ["a text with a default", text.default("a")],
  ])("[PR13] a key that is %s is accepted", (_name, key) => {
    expect(refusalOf({ channels: { c: { key: key as Schema<string>, events: event } } }, "")).toBeUndefined();
  });

  test("[PR13] presence that is always undefined is refused: undefined shows nothing", () => {
    expect(refusalOf({ channels: { c: { presence: full.undefined() } } }, "channels.c.presence")).toEqual({
      at: "",
      message: saying("z.object({})"),
    });
  });
});
