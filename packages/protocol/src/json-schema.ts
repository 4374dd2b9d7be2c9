import {
  type $ZodChecks,
  $ZodRegistry,
  type $ZodType,
  type $ZodTypes,
  globalRegistry,
  toJSONSchema,
} from "zod/v4/core";
import { dehydrate } from "./codec/dehydrate.js";
import { readSchema, type RichTag, type Schema } from "./schema.js";

/** A JSON Schema, as far as it matters here: an object of keywords. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/**
 * Marks a value that JSON carries in another form: `meta` restores it. Its value is the tag that
 * stands there.
 */
export const RICH_KEYWORD = "x-holdfast-type";

export interface JsonSchemaOptions {
  /** AsyncAPI's own dialect is draft 7; everything else is 2020-12. @default "draft-2020-12" */
  readonly target?: "draft-2020-12" | "draft-07";
  /**
   * Whether titles, descriptions, examples and default values are kept. Without them, a change of
   * words changes nothing.
   * @default true
   */
  readonly annotations?: boolean;
}

/**
 * The JSON Schema of a value as it stands in a frame: `io: "input"`, because that is the side that
 * describes the wire (fields with a default may be left out, unknown ones are allowed), and rich
 * values in the form superjson gives them.
 */
export function jsonSchema(schema: Schema, options: JsonSchemaOptions = {}): JsonSchema {
  const { target = "draft-2020-12", annotations = true } = options;
  // Reading it keeps what its lazy parts stand for, without which zod would never end.
  readSchema(schema);
  return convert(schema, { target, annotations, open: new Set() });
}

interface Conversion {
  readonly target: "draft-2020-12" | "draft-07";
  readonly annotations: boolean;
  /**
   * Maps and sets being converted; a recursive one ends here, since a nested document cannot point
   * into its parent.
   */
  readonly open: Set<$ZodType>;
}

function convert(schema: Schema, conversion: Conversion): JsonSchema {
  const {
    $schema: _,
    "~standard": __,
    ...document
  } = withBigDefaults(() =>
    toJSONSchema(schema as $ZodType, {
      // The spelling that every zod 4 knows.
      target: conversion.target === "draft-07" ? "draft-7" : conversion.target,
      io: "input",
      metadata: conversion.annotations ? annotated : nothing,
      unrepresentable: "any",
      override: ({ zodSchema, jsonSchema: json }) => {
        const part = zodSchema as $ZodTypes;
        const { def } = part._zod;
        if (json.required) json.required = [...json.required].sort();
        const rich = richForm(part, conversion);
        if (rich) {
          for (const keyword of WRITTEN_BY_ZOD) delete json[keyword];
          Object.assign(json, rich, bounds(part));
        }
        if (def.type === "catch") delete json.default;
        if (def.type === "default" || def.type === "prefault") {
          delete json.default;
          if (conversion.annotations && !isVolatile(def)) json.default = dehydrate(def.defaultValue).data as never;
        }
      },
    }),
  ) as Record<string, unknown>;
  return document;
}

/**
 * Until 4.5, zod gives each default value to `JSON.stringify`, which throws for a bigint that has
 * no `toJSON`. Then it has one for a second attempt. What it makes of the value does not matter:
 * `override` writes another in its place.
 */
function withBigDefaults<Result>(convertAll: () => Result): Result {
  const big = BigInt.prototype as { toJSON?: () => string };
  try {
    return convertAll();
  } catch (error) {
    if (!(error instanceof TypeError) || big.toJSON) throw error;
  }
  big.toJSON = String;
  try {
    return convertAll();
  } finally {
    delete big.toJSON;
  }
}

/** What zod writes for a value that JSON cannot hold: each of its versions something else. */
const WRITTEN_BY_ZOD = ["type", "const", "enum", "not", "format", "items", "additionalProperties"] as const;

/** What superjson makes of a value that JSON cannot hold; undefined leaves it to zod. */
function richForm(schema: $ZodTypes, conversion: Conversion): JsonSchema | undefined {
  const { def } = schema._zod;
  switch (def.type) {
    case "date":
      return { type: "string", format: "date-time", ...tag("Date") };
    case "bigint":
      return { type: "string", pattern: "^-?\\d{1,1024}$", ...tag("bigint") };
    case "undefined":
    case "void":
      return tag("undefined");
    case "nan":
      return { type: "string", const: "NaN", ...tag("number") };
    case "literal":
      return def.values.some((value) => value === undefined || typeof value === "bigint")
        ? literalForm(def.values)
        : undefined;
    case "set":
      return {
        type: "array",
        items: nested(schema, def.valueType as Schema, conversion),
        uniqueItems: true,
        ...tag("set"),
      };
    case "map": {
      const entry = [
        nested(schema, def.keyType as Schema, conversion),
        nested(schema, def.valueType as Schema, conversion),
      ];
      const items =
        conversion.target === "draft-07"
          ? { type: "array", items: entry, additionalItems: false, minItems: 2, maxItems: 2 }
          : { type: "array", prefixItems: entry, items: false, minItems: 2, maxItems: 2 };
      return { type: "array", items, ...tag("map") };
    }
    default:
      return undefined;
  }
}

/**
 * Values of one kind are a list; each other kind is an alternative of its own, since a tag stands
 * for a whole value.
 */
function literalForm(values: readonly unknown[]): JsonSchema {
  const big = values.filter((value) => typeof value === "bigint").map(String);
  const plain = values.filter((value) => typeof value !== "bigint" && value !== undefined);
  const forms = [
    ...(plain.length > 0 ? [plain.length === 1 ? { const: plain[0] } : { enum: plain }] : []),
    ...(big.length > 0 ? [{ enum: big, ...tag("bigint") }] : []),
    ...(values.includes(undefined) ? [tag("undefined")] : []),
  ];
  return forms.length === 1 ? forms[0]! : { anyOf: forms };
}

function tag(name: RichTag): JsonSchema {
  return { [RICH_KEYWORD]: name };
}

function nested(parent: $ZodType, child: Schema, conversion: Conversion): JsonSchema {
  if (conversion.open.has(parent)) return {};
  conversion.open.add(parent);
  const document = convert(child, conversion);
  conversion.open.delete(parent);
  // A cycle within the child points at the root of a document of its own. Such a part is described
  // as anything.
  return JSON.stringify(document).includes('"$ref"') ? {} : document;
}

/** Bounds that zod leaves out, because JSON Schema has none for dates and big numbers. */
function bounds(schema: $ZodTypes): JsonSchema {
  const found: Record<string, unknown> = {};
  for (const check of (schema._zod.def.checks ?? []) as $ZodChecks[]) {
    const { def } = check._zod;
    switch (def.check) {
      case "greater_than":
        found[def.inclusive ? "x-minimum" : "x-exclusiveMinimum"] = boundOf(def.value);
        break;
      case "less_than":
        found[def.inclusive ? "x-maximum" : "x-exclusiveMaximum"] = boundOf(def.value);
        break;
      case "min_size":
        found["minItems"] = def.minimum;
        break;
      case "max_size":
        found["maxItems"] = def.maximum;
        break;
      case "size_equals":
        found["minItems"] = found["maxItems"] = def.size;
        break;
      default: // what zod writes itself
    }
  }
  return found;
}

function boundOf(value: unknown): string {
  return value instanceof Date ? (value.toJSON() ?? "Invalid Date") : String(value);
}

/**
 * Whether a default is made anew each time (an id, the current time). Written down it would differ
 * on every run. Zod hides the function behind a getter, so the value has to tell.
 */
function isVolatile(def: { defaultValue: unknown }): boolean {
  const [first, second] = [def.defaultValue, def.defaultValue];
  const recent = first instanceof Date && Math.abs(first.getTime() - Date.now()) < 60_000;
  return recent || JSON.stringify(dehydrate(first)) !== JSON.stringify(dehydrate(second));
}

const nothing = new $ZodRegistry<Record<string, unknown>>();

/**
 * What is said about a schema, made JSON. Its id is left out: shared schemas are written in full,
 * so that each document stands alone.
 */
class SchemaAnnotations extends $ZodRegistry<Record<string, unknown>> {
  override get(schema: $ZodType): Record<string, unknown> | undefined {
    const { id, examples, ...rest } = globalRegistry.get(schema) ?? {};
    const plain = Object.entries(rest).filter(([, value]) => typeof value !== "object" && typeof value !== "function");
    return {
      ...(id !== undefined && { title: id }),
      ...Object.fromEntries(plain),
      ...(Array.isArray(examples) && { examples: examples.map((example) => dehydrate(example).data) }),
    };
  }
}
const annotated = new SchemaAnnotations();
