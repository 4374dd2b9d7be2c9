import * as full from "zod";
import * as z from "zod/mini";
import { describe, expect, test } from "vitest";
import { refusalOfInput } from "../test/refusals.js";
import { saying } from "../test/saying.js";
import type { Schema } from "./schema.js";
import { valueSchema } from "./value.js";

const text = full.string();

describe("an asynchronous check", () => {
  test.each<[string, () => unknown, string]>([
    ["in refine", () => full.object({ a: text.refine(async () => true) }), ".a"],
    ["in refine of zod/mini", () => z.object({ a: z.string().check(z.refine(async () => true)) }), ".a"],
    ["in check", () => text.check(async () => {}), ""],
    ["in custom", () => full.array(full.custom(async () => true)), ".(item)"],
    ["in catch", () => full.any().catch(async () => 1), ""],
    ["in overwrite", () => text.overwrite((async (value: string) => value) as never), ""],
    [
      "in an overwrite that returns a promise",
      () => text.overwrite((value) => Promise.reject(new Error(value)) as never),
      "",
    ],
    [
      "in property",
      () =>
        full.object({ a: text }).check(
          z.property(
            "a",
            text.refine(async () => true),
          ),
        ),
      ".a",
    ],
    [
      "in properties",
      () => full.object({ a: text }).check(full.properties({ a: text.refine(async () => true) })),
      ".a",
    ],
    ["in a string format", () => full.stringFormat("even", (async () => true) as never), ""],
    [
      "behind other checks",
      () =>
        text
          .min(1)
          .refine(() => true)
          .refine(async () => true),
      "",
    ],
    ["in a lazy part", () => full.lazy(() => text.refine(async () => true)), ""],
  ])("[PR12] an asynchronous check %s is refused by `defineProtocol`", (_name, make, at) => {
    expect(refusalOfInput(make)).toEqual({ at, message: saying("asynchronous") });
  });

  /**
   * Functions whose asynchrony is not visible from outside: the first is called by a closure of
   * zod, the second returns the promise of another function.
   */
  const hidden: readonly [string, Schema][] = [
    ["superRefine", text.superRefine(async () => Promise.reject(new Error("the database is away")))],
    ["a function that returns a promise", text.refine(() => Promise.reject(new Error("the database is away")))],
    [
      "the second of two",
      text.refine(() => new Promise<boolean>(() => {})).refine(() => Promise.reject(new Error("away"))),
    ],
    [
      "a field",
      full.object({
        a: full.custom(() => Promise.reject(new Error("away"))),
        b: full.custom(() => Promise.reject(new Error("away"))),
      }),
    ],
  ];
  test.each(hidden)(
    "[PR12] if a check turns out to be asynchronous (%s), the first value is refused with a remedy, and the rejection is handled",
    async (_name, schema) => {
      const unhandled: unknown[] = [];
      const note = (error: unknown): void => void unhandled.push(error);
      process.on("unhandledRejection", note);
      const input = valueSchema(schema);
      for (const checked of [
        input.send({ a: 1, b: 2 }, "input"),
        input.send("a", "input"),
        input.receive("a", undefined, "input"),
      ])
        if (!checked.ok && checked.fault.remedy)
          expect(checked.fault).toMatchObject({
            field: "input",
            message: saying("asynchronous"),
            remedy: saying("handler"),
          });
        else expect(checked.ok).toBe(false);
      await new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));
      process.off("unhandledRejection", note);
      expect(unhandled).toEqual([]);
    },
  );
});
