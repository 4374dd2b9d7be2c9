import type * as core from "zod/v4/core";

/** A schema of zod 4 or zod/mini. Both are accepted everywhere; they can be mixed. */
export type Schema<Output = unknown, Input = Output> = core.$ZodType<Output, Input>;

/** What the sender of a value holds: defaults may be left out. */
export type SentBy<S> = S extends { _zod: { input: infer Input } } ? Input : never;
/** What the receiver of a value gets: defaults are filled in. */
export type ReceivedBy<S> = S extends { _zod: { output: infer Output } } ? Output : never;

/** superjson's names for the values that JSON cannot hold and a schema can ask for. */
export type RichTag = "Date" | "bigint" | "map" | "set" | "undefined" | "number";

export interface SchemaFacts {
  /** The rich values a schema can ask for. Empty: plain JSON carries it. */
  readonly rich: ReadonlySet<RichTag>;
  /** What may be restored. */
  readonly restored: ReadonlySet<RichTag>;
  /** Parts that cannot travel, each with its path below the schema and the reason. */
  readonly faults: readonly { path: readonly string[]; reason: string }[];
}

export function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && "_zod" in value;
}

/** Why a value that should be a schema is none; undefined if it is one. */
export function schemaFault(value: unknown): string | undefined {
  if (isSchema(value)) return undefined;
  if (typeof value === "object" && value !== null && "_def" in value)
    return "is a schema of zod 3; Holdfast needs zod 4 (npm install zod@4)";
  return "is not a zod schema";
}

/**
 * What may be restored for a schema of plain values: a page in production annotates without having read the schema, and
 * superjson annotates these two wherever they turn up.
 */
const harmless: ReadonlySet<RichTag> = new Set(["undefined", "number"]);

const anything: readonly RichTag[] = ["Date", "bigint", "map", "set"];

/**
 * Reads a schema once, when the protocol is defined: which rich values it can hold, and whether all of it can travel.
 * A value travels as the schema's input and is parsed by both sides, so a schema must give the same result when it parses
 * its own output; a one-way transform would run twice, or once on a side that does not expect it.
 */
export function readSchema(schema: Schema): SchemaFacts {
  const rich = new Set<RichTag>();
  const faults: { path: readonly string[]; reason: string }[] = [];
  const seen = new Set<Schema>();

  const visit = (part: Schema, path: readonly string[]): void => {
    if (seen.has(part)) return;
    seen.add(part);
    const def = (part as unknown as core.$ZodTypes)._zod.def;
    const refuse = (reason: string): void => void faults.push({ path, reason });
    switch (def.type) {
      case "date":
        rich.add("Date");
        return;
      case "bigint":
        rich.add("bigint");
        return;
      case "nan":
        rich.add("number");
        return;
      case "map":
        rich.add("map");
        visit(def.keyType as Schema, [...path, "(key)"]);
        return visit(def.valueType as Schema, [...path, "(value)"]);
      case "set":
        rich.add("set");
        return visit(def.valueType as Schema, [...path, "(value)"]);
      case "undefined":
      case "void":
        rich.add("undefined");
        return;
      case "any":
      case "unknown":
      case "custom":
        for (const tag of anything) rich.add(tag);
        return;
      case "literal":
        for (const value of def.values) {
          if (typeof value === "bigint") rich.add("bigint");
          if (value === undefined) rich.add("undefined");
        }
        return;
      case "object":
        for (const [key, child] of Object.entries(def.shape)) visit(child as Schema, [...path, key]);
        if (def.catchall) visit(def.catchall as Schema, [...path, "(other)"]);
        return;
      case "array":
        visitItem(def.element as Schema, [...path, "(item)"]);
        return;
      case "tuple":
        def.items.forEach((item, index) => visitItem(item as Schema, [...path, String(index)]));
        if (def.rest) visitItem(def.rest as Schema, [...path, "(rest)"]);
        return;
      case "union":
        for (const option of def.options) visit(option as Schema, path);
        return;
      case "intersection":
        visit(def.left as Schema, path);
        return visit(def.right as Schema, path);
      case "record":
        visit(def.keyType as Schema, [...path, "(key)"]);
        return visit(def.valueType as Schema, [...path, "(value)"]);
      case "pipe":
        if ("transform" in def || "reverseTransform" in def)
          return refuse(
            "is a codec; declare the value as the application uses it (z.date(), z.bigint(), z.map() and z.set() travel as they are)",
          );
        visit(def.in as Schema, path);
        return visit(def.out as Schema, path);
      case "lazy":
        return visit(def.getter() as Schema, path);
      case "optional":
      case "nullable":
      case "nonoptional":
      case "default":
      case "prefault":
      case "catch":
      case "readonly":
      case "success":
        return visit(def.innerType as Schema, path);
      case "transform":
        return refuse("is a transform, which would run on one side only; convert in your own code instead");
      case "function":
      case "promise":
      case "symbol":
      case "file":
        return refuse(`is a ${def.type}, which cannot travel`);
      case "string":
      case "number":
      case "boolean":
      case "enum":
      case "template_literal":
      case "null":
      case "never":
        return;
      default:
        def satisfies never;
    }
  };

  // JSON leaves an absent field out, but writes null for an absent item.
  const visitItem = (part: Schema, path: readonly string[]): void => {
    if (part._zod.optout === "optional") rich.add("undefined");
    visit(part, path);
  };

  visit(schema, []);
  // Once superjson is needed at all it also annotates these two, wherever they turn up.
  if (rich.size > 0) rich.add("undefined").add("number");
  return { rich, restored: rich.size > 0 ? rich : harmless, faults };
}
