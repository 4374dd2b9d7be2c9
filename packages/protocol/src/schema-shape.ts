import type * as core from "zod/v4/core";
import { regexes } from "zod/v4/core";
import type { JsonSchema } from "./json-schema.js";
import type { Schema } from "./schema.js";
import { identityOf, innerOf } from "./schema-parts.js";

/**
 * A schema reduced to what a peer can notice, as plain JSON: what the fingerprint hashes. It is read from the definitions that every
 * zod 4 keeps in `_zod.def`, because zod's own JSON Schema differs from version to version, and the two sides of a connection may
 * have different ones.
 *
 * Left out: words, default values, functions (refinements, overwrites), `readonly`, and patterns that belong to a format.
 */
export function shapeOf(schema: Schema): JsonSchema {
  return read(schema, { open: [], numbers: new Map(), cyclic: new Set(), visits: { count: 0 } });
}

/** What is known of the schemas around the one that is read, and of those read before it. */
interface Reading {
  /** Outermost first. A schema that is met again while it is open contains itself. */
  readonly open: readonly object[];
  /** The visit at which a schema was opened last: how a recursive one is named where it is met again. */
  readonly numbers: Map<object, number>;
  /** Read once: schemas that contain each other would otherwise be written in every order in which they can. */
  readonly cyclic: Set<object>;
  readonly visits: { count: number };
}

function read(schema: Schema, reading: Reading): JsonSchema {
  const { open, numbers, cyclic, visits } = reading;
  const part = schema as core.$ZodTypes;
  const identity = identityOf(schema);
  const around = open.lastIndexOf(identity);
  if (around >= 0) for (const one of open.slice(around)) cyclic.add(one);
  if (cyclic.has(identity)) return { type: "recursion", to: numbers.get(identity) };
  numbers.set(identity, visits.count++);
  const inner = (child: Schema): JsonSchema => read(child, { ...reading, open: [...open, identity] });
  const { def } = part._zod;
  const { type } = def;
  const facts = { type, ...checksOf(part, inner), ...("coerce" in def && def.coerce ? { coerce: true } : {}) };
  switch (type) {
    case "lazy":
      return inner(innerOf(part));
    case "readonly":
      return inner(def.innerType);
    case "literal":
      return { ...facts, values: def.values.map(valueText).sort() };
    case "enum":
      return { ...facts, values: valuesOf(def.entries).map(valueText).sort() };
    case "object": {
      // Sorted, because the order decides the numbers of visits.
      const names = Object.keys(def.shape).sort();
      const fields = names.map((name) => [name, inner(def.shape[name]!)] as const);
      return { ...facts, fields: Object.fromEntries(fields), other: def.catchall && inner(def.catchall) };
    }
    case "array":
      return { ...facts, item: inner(def.element) };
    case "tuple":
      return { ...facts, items: def.items.map(inner), rest: def.rest ? inner(def.rest) : undefined };
    case "record": {
      const { mode, partial } = def as { mode?: string; partial?: boolean };
      // Until 4.5 a partial record differed by its keys alone, which then name no values.
      const every = partial !== true && def.keyType._zod.values !== undefined;
      const isLoose = mode === "loose";
      return { ...facts, key: inner(def.keyType), value: inner(def.valueType), every, isLoose };
    }
    case "map":
      return { ...facts, key: inner(def.keyType), value: inner(def.valueType) };
    case "set":
      return { ...facts, item: inner(def.valueType) };
    case "union":
      return unionShape(def, facts, inner);
    case "intersection":
      return { ...facts, parts: [inner(def.left), inner(def.right)] };
    case "pipe":
      return { ...facts, parts: [inner(def.in), inner(def.out)] };
    case "template_literal":
      return { ...facts, parts: def.parts.map((one) => (isPart(one) ? inner(one) : valueText(one))) };
    case "optional":
    case "nullable":
    case "nonoptional":
    case "default":
    case "prefault":
    case "catch":
      return { ...facts, inner: inner(def.innerType) };
    default:
      return facts;
  }
}

function unionShape(def: core.$ZodUnionDef, facts: JsonSchema, inner: (child: Schema) => JsonSchema): JsonSchema {
  // A partial record of 4.0 has keys that are a union with `never`, which no value is.
  const options = def.options.filter((option) => (option as core.$ZodTypes)._zod.def.type !== "never").map(inner);
  const { discriminator, inclusive } = def as { discriminator?: string; inclusive?: boolean };
  const isExclusive = discriminator === undefined && inclusive === false;
  if (discriminator === undefined && !isExclusive && options.length === 1 && !facts["checks"]) return options[0]!;
  return { ...facts, options, discriminator, isExclusive };
}

/** An enum of TypeScript also maps its numbers to their names. */
function valuesOf(entries: { readonly [key: string]: unknown }): unknown[] {
  const numbers = Object.values(entries).filter((value) => typeof value === "number");
  return Object.entries(entries).flatMap(([key, value]) => (numbers.includes(Number(key)) ? [] : [value]));
}

function isPart(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && "_zod" in value;
}

/** `1` and `"1"` are two values, and a big 1 is a third. */
function valueText(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Date) return value.toISOString();
  return value instanceof RegExp ? String(value) : (JSON.stringify(value) ?? "undefined");
}

/** What of a check's definition a peer can notice. The order of checks does not count. */
const NOTICED = [
  ...["format", "minimum", "maximum", "length", "size", "value", "inclusive", "version", "alg", "precision", "offset"],
  ...["local", "hostname", "protocol", "normalize", "includes", "prefix", "suffix", "position", "property"],
] as const;

function checksOf(part: core.$ZodTypes, inner: (child: Schema) => JsonSchema): { checks?: readonly string[] } {
  // z.email() is a check itself, z.string().email() has one.
  const own = "check" in part._zod.def ? [part._zod.def] : [];
  const others = (part._zod.def.checks ?? []) as readonly core.$ZodCheck[];
  const defs: readonly object[] = [...own, ...others.map((check) => check._zod.def)];
  const texts = new Set(defs.flatMap((def) => checkText(def as { [name: string]: unknown }, inner) ?? []));
  return texts.size > 0 ? { checks: [...texts].sort() } : {};
}

function checkText(def: { [name: string]: unknown }, inner: (child: Schema) => JsonSchema): string | undefined {
  if (def["check"] === "overwrite" || def["check"] === "custom") return undefined;
  const facts = NOTICED.flatMap((name) => {
    const value = def[name];
    return value === undefined || value === null || value === false ? [] : [`${name}=${valueText(value)}`];
  });
  if (def["format"] === "regex" || (def["format"] === "email" && String(def["pattern"]) !== String(regexes.email)))
    facts.push(`pattern=${valueText(def["pattern"])}`);
  if (isPart(def["schema"])) facts.push(JSON.stringify(inner(def["schema"])));
  return [def["check"], ...facts].join(" ");
}
