import { type JsonSchema, RICH_KEYWORD } from "@holdfast/protocol/describe";

/** One row of a field table. */
export interface Field {
  /** `data.channels[].position.offset`; `(value)` for a value that has no fields. */
  readonly path: string;
  readonly type: string;
  readonly required: boolean;
  /** Lengths, bounds and patterns. Empty if the schema has none. */
  readonly constraints: string;
  /**
   * The default in TypeScript: JSON, or for example `new Set()`. Undefined if the field has none.
   */
  readonly defaultValue: string | undefined;
  readonly description: string;
}

/**
 * The fields of a value in the order of their declaration. Each field follows its parent.
 *
 * @param isRequired whether the value itself is required
 */
export function fieldsOf(root: JsonSchema, isRequired = true): readonly Field[] {
  const rows: FieldRow[] = [];

  const add = (path: string, part: JsonSchema, required: boolean, condition: string): void => {
    const resolved = resolve(part, root);
    rows.push({
      path,
      type: typeOf(part, root),
      required,
      constraints: constraintsOf(resolved),
      defaultValue: "default" in part ? defaultText(part["default"], resolved[RICH_KEYWORD]) : undefined,
      description: text(part["description"]) ?? text(resolved["description"]) ?? "",
      condition,
    });
  };

  const descend = (prefix: string, part: JsonSchema, condition: string, seen: readonly JsonSchema[]): void => {
    const schema = resolve(part, root);
    if (seen.includes(schema)) return;
    const inner = [...seen, schema];
    const required = new Set(list(schema["required"]).map(String));
    for (const [name, child] of Object.entries(schemas(schema["properties"]))) {
      const path = join(prefix, name);
      add(path, child, required.has(name), condition);
      descend(path, child, "", inner);
    }
    // The rows of a set or an array list the fields of its items. The type of a map already names
    // its entries.
    if (isSchema(schema["items"]) && schema[RICH_KEYWORD] !== "map") descend(`${prefix}[]`, schema["items"], "", inner);
    if (isSchema(schema["additionalProperties"]))
      descend(join(prefix, "{…}"), schema["additionalProperties"], "", inner);
    const alternatives = alternativesOf(schema).map((option) => resolve(option, root));
    for (const [index, option] of alternatives.entries())
      descend(prefix, option, whenOf(option, alternatives, index), inner);
    for (const part of list(schema["allOf"]).filter(isSchema)) descend(prefix, part, condition, inner);
  };

  if (typeOf(root, root) !== "object") add("(value)", root, isRequired, "");
  descend("", root, "", []);
  return merge(rows);
}

/**
 * Writes a default as TypeScript. The schema has the default as it travels, so that `[]` can be a
 * list, a Set or a Map.
 */
function defaultText(value: unknown, rich: unknown): string {
  const json = JSON.stringify(value);
  const isEmpty = Array.isArray(value) && value.length === 0;
  switch (rich) {
    case "set":
      return `new Set(${isEmpty ? "" : json})`;
    case "map":
      return `new Map(${isEmpty ? "" : json})`;
    case "Date":
      return `new Date(${json})`;
    case "bigint":
      return `${String(value)}n`;
    default:
      return json;
  }
}

/** A row and the alternative that declares it. */
interface FieldRow extends Field {
  readonly condition: string;
}

/** Merges the rows of a field that several alternatives declare into one. */
function merge(rows: readonly FieldRow[]): Field[] {
  const merged: FieldRow[] = [];
  for (const row of rows) {
    const index = merged.findIndex((other) => other.path === row.path && other.constraints === row.constraints);
    const before = merged[index];
    if (!before) merged.push(row);
    else if (before.condition !== row.condition || before.type !== row.type) {
      const type = before.type === row.type ? row.type : `${before.type} | ${row.type}`;
      merged[index] = { ...before, type, required: before.required && row.required, condition: "" };
    }
  }
  return merged.map(({ condition, ...row }) => ({
    ...row,
    description: [condition, row.description].filter(Boolean).join(" "),
  }));
}

function join(prefix: string, name: string): string {
  return prefix ? `${prefix}.${name}` : name;
}

/** Names the constant field in which alternatives differ: "When `ok` is `true`." */
function whenOf(option: JsonSchema, all: readonly JsonSchema[], index: number): string {
  if (all.length < 2 || !isSchema(option["properties"])) return "";
  const properties = schemas(option["properties"]);
  const told = Object.entries(properties).find(
    ([name, child]) =>
      "const" in child && all.every((other) => "const" in (schemas(other["properties"])[name] ?? { const: 0 })),
  );
  if (!told) return all.filter((other) => isSchema(other["properties"])).length > 1 ? `Alternative ${index + 1}.` : "";
  return `When \`${told[0]}\` is \`${JSON.stringify(told[1]["const"])}\`.`;
}

const MAX_NAMED = 8;

/** The type in short form; `…` stands for a type that contains itself. */
export function typeOf(part: JsonSchema, root: JsonSchema, around: readonly JsonSchema[] = []): string {
  const schema = resolve(part, root);
  if (around.includes(schema)) return "…";
  const typeWithin = (inner: JsonSchema): string => typeOf(inner, root, [...around, schema]);
  const rich = schema[RICH_KEYWORD];
  const items = isSchema(schema["items"]) ? schema["items"] : undefined;
  switch (rich) {
    case "Date":
      return "Date";
    case "bigint":
      return Array.isArray(schema["enum"]) ? schema["enum"].map((value) => `${String(value)}n`).join(" | ") : "bigint";
    case "number":
      return "NaN";
    case "undefined":
      return "nothing";
    case "set":
      return `Set<${items ? typeWithin(items) : "any"}>`;
    case "map": {
      const [key, value] = list(items?.["prefixItems"]).filter(isSchema);
      return `Map<${key ? typeWithin(key) : "any"}, ${value ? typeWithin(value) : "any"}>`;
    }
  }
  if ("const" in schema) return JSON.stringify(schema["const"]);
  if (Array.isArray(schema["enum"])) {
    const values = schema["enum"].map((value) => JSON.stringify(value));
    return [...values.slice(0, MAX_NAMED), ...(values.length > MAX_NAMED ? ["…"] : [])].join(" | ");
  }
  const alternatives = alternativesOf(schema);
  if (alternatives.length > 0) return [...new Set(alternatives.map(typeWithin))].join(" | ");
  if (Array.isArray(schema["type"])) return schema["type"].join(" | ");
  if (Array.isArray(schema["prefixItems"]))
    return `[${schema["prefixItems"].filter(isSchema).map(typeWithin).join(", ")}]`;
  if (schema["type"] === "array") {
    const item = items ? typeWithin(items) : "any";
    return item.includes(" ") ? `(${item})[]` : `${item}[]`;
  }
  if (schema["type"] === "object" && isSchema(schema["additionalProperties"]) && !isSchema(schema["properties"]))
    return `{ [key]: ${typeWithin(schema["additionalProperties"])} }`;
  return text(schema["type"]) ?? (schema["allOf"] ? "object" : schema["not"] ? "never" : "any");
}

function constraintsOf(schema: JsonSchema): string {
  const said: string[] = [];
  const range = (low: unknown, high: unknown, unit: string): void => {
    const plural = (count: unknown) =>
      `${number(count)} ${count === 1 ? unit : unit === "entry" ? "entries" : `${unit}s`}`;
    if (low !== undefined && low === high) said.push(`exactly ${plural(low)}`);
    else if (low !== undefined && high !== undefined) said.push(`${number(low)} to ${plural(high)}`);
    else if (low !== undefined) said.push(`at least ${plural(low)}`);
    else if (high !== undefined) said.push(`at most ${plural(high)}`);
  };
  const rich = schema[RICH_KEYWORD];
  range(schema["minLength"], schema["maxLength"], "character");
  if (!Array.isArray(schema["prefixItems"]))
    range(schema["minItems"], schema["maxItems"], rich === "map" ? "entry" : "item");
  const format = text(schema["format"]);
  if (format && rich === undefined) said.push(format);
  if (text(schema["pattern"]) && !format && rich === undefined) said.push(`matches \`${String(schema["pattern"])}\``);
  for (const [keyword, symbol] of BOUNDS) {
    const bound = schema[keyword];
    // z.int() adds the limits of safe integers, which are no rule of this field.
    if (bound !== undefined && Math.abs(Number(bound)) !== Number.MAX_SAFE_INTEGER)
      said.push(`${symbol} ${number(bound)}`);
  }
  if (schema["multipleOf"] !== undefined) said.push(`a multiple of ${number(schema["multipleOf"])}`);
  return said.join(", ");
}

const BOUNDS = [
  ["minimum", "≥"],
  ["x-minimum", "≥"],
  ["exclusiveMinimum", ">"],
  ["x-exclusiveMinimum", ">"],
  ["maximum", "≤"],
  ["x-maximum", "≤"],
  ["exclusiveMaximum", "<"],
  ["x-exclusiveMaximum", "<"],
] as const;

/** Writes 16384 as 16,384, independent of the machine's locale. */
export function number(value: unknown): string {
  return typeof value === "number" ? value.toLocaleString("en-US", { maximumFractionDigits: 20 }) : String(value);
}

function resolve(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const reference = schema["$ref"];
  if (typeof reference !== "string") return schema;
  if (reference === "#") return root;
  const name = reference.replace(/^#\/(\$defs|definitions)\//, "");
  return schemas(root["$defs"] ?? root["definitions"])[name] ?? {};
}

function alternativesOf(schema: JsonSchema): JsonSchema[] {
  return [...list(schema["anyOf"]), ...list(schema["oneOf"])].filter(isSchema);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function schemas(value: unknown): { readonly [name: string]: JsonSchema } {
  return isSchema(value) ? (value as { readonly [name: string]: JsonSchema }) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
