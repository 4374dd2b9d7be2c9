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

/** A JSON Schema: an object of keywords. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/**
 * Marks a value that JSON carries in another form. The keyword's value is the superjson tag in
 * `meta`.
 */
export const RICH_KEYWORD = "x-holdfast-type";

export interface JsonSchemaOptions {
  /**
   * The dialect of the JSON Schema. AsyncAPI needs draft 7.
   * @default "draft-2020-12"
   */
  readonly target?: "draft-2020-12" | "draft-07";
  /**
   * Whether the result contains titles, descriptions, examples and default values. Without
   * annotations, the result depends only on the values that the schema accepts.
   * @default true
   */
  readonly annotations?: boolean;
}

/**
 * The JSON Schema of a value in a frame. `io: "input"` describes the sender's side: fields with a
 * default may be left out, and unknown fields are allowed. Rich values are described in the form
 * that superjson gives them.
 */
export function jsonSchema(schema: Schema, options: JsonSchemaOptions = {}): JsonSchema {
  const { target = "draft-2020-12", annotations = true } = options;
  // `readSchema` makes every lazy part return the same schema each time. Otherwise zod would never
  // finish if a recursive schema copies itself.
  readSchema(schema);
  return convert(schema, { target, annotations, open: new Set() });
}

interface Conversion {
  readonly target: "draft-2020-12" | "draft-07";
  readonly annotations: boolean;
  /**
   * The maps and sets that are being converted. A recursive map or set ends here, because a nested
   * document cannot refer to its parent.
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
      // Every zod 4 accepts this spelling.
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
 * Before 4.5, zod passes each default value to `JSON.stringify`, which throws for a bigint. In that
 * case the conversion is repeated with a temporary `BigInt.prototype.toJSON`. The result of
 * `toJSON` does not matter, because `override` replaces every default.
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

/**
 * The keywords that zod writes for values that JSON cannot hold. Versions of zod differ in these
 * keywords, so all of them are removed.
 */
const WRITTEN_BY_ZOD = ["type", "const", "enum", "not", "format", "items", "additionalProperties"] as const;

/**
 * The JSON Schema of the form that superjson gives to a rich value; undefined if zod's own result
 * is right.
 */
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

/** A tag applies to a whole value, so values of different kinds become separate alternatives. */
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
  // A cycle within the child would refer to the root of its own document, which is nested here.
  // Such a part is described as "any value".
  return JSON.stringify(document).includes('"$ref"') ? {} : document;
}

/**
 * The bounds of dates and bigints. JSON Schema has no keywords for these bounds, so zod leaves them
 * out.
 */
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
      default: // zod writes these itself
    }
  }
  return found;
}

function boundOf(value: unknown): string {
  return value instanceof Date ? (value.toJSON() ?? "Invalid Date") : String(value);
}

/**
 * True if a default is computed anew each time (an id, the current time), so that the written
 * result would differ on every run. zod hides the function behind a getter, so two reads are
 * compared.
 */
function isVolatile(def: { defaultValue: unknown }): boolean {
  const [first, second] = [def.defaultValue, def.defaultValue];
  const recent = first instanceof Date && Math.abs(first.getTime() - Date.now()) < 60_000;
  return recent || JSON.stringify(dehydrate(first)) !== JSON.stringify(dehydrate(second));
}

const nothing = new $ZodRegistry<Record<string, unknown>>();

/**
 * The annotations of a schema as JSON. An `id` becomes a title: shared schemas are written in full,
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
