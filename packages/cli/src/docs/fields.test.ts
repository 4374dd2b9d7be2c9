import * as full from "zod";
import * as z from "zod/mini";
import { describe, expect, test } from "vitest";
import type { Schema } from "@holdfast/protocol";
import { jsonSchema } from "@holdfast/protocol/describe";
import { fieldsOf } from "./fields.js";

const rows = (schema: Schema): string[] =>
  fieldsOf(jsonSchema(schema)).map(({ path, type, required, constraints, defaultValue, description }) =>
    [
      path,
      type,
      required ? "required" : "optional",
      constraints,
      defaultValue && `default ${defaultValue}`,
      description,
    ]
      .filter(Boolean)
      .join(" | "),
  );

describe("the rows of fieldsOf", () => {
  test("[DC5] returns type, constraints, default and description of each field, after its parent", () => {
    const schema = z.object({
      id: z.uuid().check(z.describe("Which one.")),
      title: z.string().check(z.minLength(1), z.maxLength(80)),
      size: z._default(z.int().check(z.gte(1), z.lte(20_000)), 10),
      at: z.optional(z.date()),
      owner: z.object({ name: z.nullable(z.string()), tags: z.set(z.string()) }),
      steps: z.array(z.object({ done: z.boolean() })).check(z.minLength(1)),
    });
    expect(rows(schema)).toEqual([
      "id | string | required | uuid | Which one.",
      "title | string | required | 1 to 80 characters",
      "size | integer | optional | ≥ 1, ≤ 20,000 | default 10",
      "at | Date | optional",
      "owner | object | required",
      "owner.name | string | null | required",
      "owner.tags | Set<string> | required",
      "steps | object[] | required | at least 1 item",
      "steps[].done | boolean | required",
    ]);
  });

  test("[DC5] writes a default that JSON cannot hold as TypeScript", () => {
    const schema = full.object({
      tags: full.set(full.string()).default(new Set<string>()),
      kinds: full.set(full.string()).default(new Set(["a"])),
      limits: full.map(full.string(), full.int()).default(new Map([["a", 1]])),
      total: full.bigint().default(5n),
      at: full.date().default(new Date(0)),
      list: full.array(full.string()).default([]),
    });
    expect(fieldsOf(jsonSchema(schema)).map(({ defaultValue }) => defaultValue)).toEqual([
      "new Set()",
      'new Set(["a"])',
      'new Map([["a",1]])',
      "5n",
      'new Date("1970-01-01T00:00:00.000Z")',
      "[]",
    ]);
  });

  test("[DC5] describes alternatives by the constant field in which the alternatives differ", () => {
    const schema = z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("a"), x: z.number(), both: z.string() }),
      z.object({ kind: z.literal("b"), y: z.number(), both: z.string() }),
    ]);
    expect(rows(schema)).toEqual([
      'kind | "a" | "b" | required',
      'x | number | required | When `kind` is `"a"`.',
      "both | string | required",
      'y | number | required | When `kind` is `"b"`.',
    ]);
  });

  test("[DC5] returns one row for a value without fields", () => {
    expect(rows(z.string().check(z.maxLength(5)))).toEqual(["(value) | string | required | at most 5 characters"]);
    expect(rows(z.array(z.enum(["a", "b"])))).toEqual(['(value) | ("a" | "b")[] | required']);
    expect(rows(z.record(z.string(), z.date()))).toEqual(["(value) | { [key]: Date } | required"]);
    expect(rows(z.unknown())).toEqual(["(value) | any | required"]);
  });

  test("[DC5] writes types in TypeScript notation", () => {
    const types = (...schemas: Schema[]) => schemas.map((schema) => fieldsOf(jsonSchema(schema))[0]?.type);
    expect(
      types(
        z.map(z.string(), z.bigint()),
        z.tuple([z.string(), z.date()]),
        z.literal([1n, 2n]),
        z.nan(),
        z.union([z.string(), z.array(z.int())]),
        z.null(),
        z.never(),
      ),
    ).toEqual(["Map<string, bigint>", "[string, Date]", "1n | 2n", "NaN", "string | integer[]", "null", "never"]);
  });

  test("[DC5] terminates for a recursive schema", () => {
    const tree = z.object({ name: z.string(), children: z.array(z.lazy((): z.ZodMiniType => tree)) });
    expect(rows(tree)).toEqual(["name | string | required", "children | object[] | required"]);
    const list: z.ZodMiniType = z.lazy(() => z.array(z.union([z.string(), list])));
    expect(rows(list)).toEqual(["(value) | (string | …)[] | required"]);
  });
});
