import * as z from "zod/mini";
import type * as core from "zod/v4/core";
import { globalRegistry } from "zod/v4/core";
import type { Schema } from "@holdfast/protocol";
import { jsonSchema } from "@holdfast/protocol/describe";
import { formatPath, identityOf, innerOf } from "@holdfast/protocol/internal";

/** Thrown if no valid value can be made for a part of a schema. */
export class NoExample extends Error {
  readonly field: string;
  constructor(path: readonly string[]) {
    super("no example can be made");
    this.field = formatPath("", path);
  }
}

/**
 * Makes the smallest value that a schema accepts, always the same: optional fields are left out,
 * and lists hold one item. If the schema or a part of it has examples, the first example is used.
 *
 * @throws NoExample if no candidate matches, for example because of a pattern or a refinement
 */
export function synthesize(schema: Schema): unknown {
  return new Synthesis().value(schema as core.$ZodTypes, []);
}

class Synthesis {
  /** The schemas in progress, outermost first. A schema that occurs again is recursive. */
  readonly #open = new Set<object>();

  value(schema: core.$ZodTypes, path: readonly string[]): unknown {
    const examples = globalRegistry.get(schema)?.["examples"] as unknown[] | undefined;
    if (examples?.length) return examples[0];
    const identity = identityOf(schema);
    if (this.#open.has(identity)) throw new NoExample(path);
    this.#open.add(identity);
    try {
      return this.#make(schema, path);
    } finally {
      this.#open.delete(identity);
    }
  }

  #make(schema: core.$ZodTypes, path: readonly string[]): unknown {
    const { def } = schema._zod;
    const inner = (part: Schema, ...more: string[]) => this.value(part as core.$ZodTypes, [...path, ...more]);
    switch (def.type) {
      case "string":
      case "template_literal":
        return firstValid(schema, texts(schema, path), path);
      case "number":
        return firstValid(schema, numbers(schema), path);
      case "bigint":
        return firstValid(schema, [1n, 0n, ...bounds(schema).map(BigInt)], path);
      case "date":
        return firstValid(schema, [EXAMPLE_DATE, ...bounds(schema).map((bound) => new Date(bound))], path);
      case "boolean":
      case "success":
        return true;
      case "null":
        return null;
      case "undefined":
      case "void":
        return undefined;
      case "nan":
        return Number.NaN;
      case "any":
      case "unknown":
        return {};
      case "literal":
        return def.values[0];
      case "enum":
        return Object.values(def.entries)[0];
      case "object":
        return Object.fromEntries(
          Object.entries(def.shape)
            .filter(([, field]) => field._zod.optin === undefined)
            .map(([key, field]) => [key, inner(field, key)]),
        );
      case "record":
        return this.#record(def, path);
      case "array":
        return this.#items(schema, () => inner(def.element, "(item)"));
      case "set":
        return new Set(this.#items(schema, () => inner(def.valueType, "(value)")));
      case "map":
        return new Map(this.#items(schema, () => [inner(def.keyType, "(key)"), inner(def.valueType, "(value)")]));
      case "tuple":
        return def.items.map((item, index) => inner(item, String(index)));
      case "union":
        return this.#firstOf(def.options, path);
      case "intersection":
        return Object.assign({}, inner(def.left), inner(def.right));
      case "pipe":
        return inner(def.in);
      case "lazy":
        return inner(innerOf(schema));
      case "nullable":
        return this.#attempt(() => inner(def.innerType)) ?? null;
      case "optional":
      case "nonoptional":
      case "default":
      case "prefault":
      case "catch":
      case "readonly":
        return inner(def.innerType);
      case "custom":
        return firstValid(schema, [{}, "", 0, true, null, []], path);
      case "never":
      case "transform":
      case "function":
      case "promise":
      case "symbol":
      case "file":
        throw new NoExample(path);
      default:
        return def satisfies never;
    }
  }

  /**
   * Returns one item, or the minimum that the schema requires. If the item is recursive, the list
   * is empty.
   */
  #items<Item>(schema: core.$ZodType, make: () => Item): Item[] {
    const { minItems } = jsonSchema(schema, { annotations: false }) as { minItems?: number };
    const least = minItems ?? 0;
    const first = least > 0 ? make() : this.#attempt(make);
    return first === undefined ? [] : Array.from({ length: Math.max(1, least) }, () => first);
  }

  #record(def: core.$ZodRecordDef, path: readonly string[]): Record<string, unknown> {
    const { def: keys } = (def.keyType as core.$ZodTypes)._zod;
    const names =
      keys.type === "enum"
        ? Object.values(keys.entries)
        : keys.type === "literal"
          ? keys.values
          : [this.value(def.keyType as core.$ZodTypes, [...path, "key"])];
    const value = this.#attempt(() => this.value(def.valueType as core.$ZodTypes, [...path, "(value)"]));
    return value === undefined ? {} : Object.fromEntries(names.map((name) => [String(name), value]));
  }

  #firstOf(options: readonly core.$ZodType[], path: readonly string[]): unknown {
    for (const option of options) {
      const value = this.#attempt(() => this.value(option as core.$ZodTypes, path));
      if (value !== undefined) return value;
    }
    throw new NoExample(path);
  }

  #attempt<Value>(make: () => Value): Value | undefined {
    try {
      return make();
    } catch (error) {
      if (error instanceof NoExample) return undefined;
      throw error;
    }
  }
}

function firstValid(schema: core.$ZodType, candidates: readonly unknown[], path: readonly string[]): unknown {
  for (const candidate of candidates) {
    const result = z.safeParse(schema, candidate);
    if (result.success) return candidate;
  }
  throw new NoExample(path);
}

/** The time in all examples. */
export const EXAMPLE_TIME = "2026-01-15T09:30:00.000Z";
const EXAMPLE_DATE = new Date(EXAMPLE_TIME);

const FORMATS: { readonly [format: string]: string } = {
  uuid: "0193e2a4-5b7c-7d21-9c3e-4f5a6b7c8d9e",
  email: "ada@example.com",
  uri: "https://example.com/",
  "date-time": EXAMPLE_TIME,
  date: "2026-01-15",
  duration: "PT5M",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  cidrv4: "192.0.2.0/24",
  cidrv6: "2001:db8::/32",
  mac: "00:00:5e:00:53:01",
  base64: "SGVsbG8=",
  base64url: "SGVsbG8",
  hostname: "example.com",
  e164: "+442079460000",
  jwt: "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl",
  nanoid: "V1StGXR8_Z5jdHi6B-myT",
  cuid: "cjld2cjxh0000qzrmn831i7rn",
  cuid2: "tz4a98xxat96iws9zmbrgj3a",
  ulid: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
  xid: "9m4e2mr0ui3e8a215n4g",
  ksuid: "0ujtsYcgvSTl8PAuAdqWYSMnLOv",
  emoji: "👍",
};

/**
 * Candidates for common patterns: an id, a number, a time, a colour, a language, a version.
 */
const COMMON = [
  ...["a", "A", "0", "1", "abc", "ABC", "a1", "A1", "A-1", "a-1", "a_1", "10", "100", "1234", "12345"],
  ...["09:30", "09:30:00", "#aabbcc", "en", "EN", "en-GB", "1.0.0", "0193e2a45b7c7d219c3e4f5a6b7c8d9e"],
];

function texts(schema: Schema, path: readonly string[]): string[] {
  const {
    format,
    minLength = 0,
    maxLength = Number.POSITIVE_INFINITY,
  } = jsonSchema(schema) as {
    format?: string;
    minLength?: number;
    maxLength?: number;
  };
  const name = path.at(-1)?.replace(/[()]/g, "") ?? "text";
  const fitted = name.padEnd(minLength, name).slice(0, Math.max(1, Math.min(maxLength, 200)));
  return [...(format && FORMATS[format] ? [FORMATS[format]] : []), fitted, ...COMMON, ...Object.values(FORMATS)];
}

function numbers(schema: Schema): number[] {
  const facts = jsonSchema(schema) as { [keyword: string]: number | undefined };
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = facts;
  const near = [minimum, maximum, multipleOf, exclusiveMinimum, exclusiveMaximum].filter(
    (bound) => bound !== undefined,
  );
  return [1, 0, ...near, ...near.flatMap((bound) => [bound + 1, bound - 1, bound + 0.5, bound - 0.5])];
}

function bounds(schema: Schema): string[] {
  const facts = jsonSchema(schema);
  return ["x-minimum", "x-maximum"].map((keyword) => facts[keyword]).filter((bound) => typeof bound === "string");
}
