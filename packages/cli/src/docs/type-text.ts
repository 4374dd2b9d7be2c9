import { type JsonSchema, jsonSchema, RICH_KEYWORD } from "@holdfast/protocol/describe";
import { mayBeLeftOut } from "@holdfast/protocol/internal";
import type { Schema } from "@holdfast/protocol";
import { propertyName } from "./literal.js";

const WIDTH = 76;

/** `sent`: a field with a default may be left out. `received`: the schema has filled it in. */
export type Side = "sent" | "received";

/**
 * Declares the TypeScript type of a value, as TypeScript infers it from the schema. A value that
 * contains itself refers to `name`.
 */
export function typeDeclaration(name: string, schema: Schema, side: Side): string {
  return declaration(name, typeText(name, schema, side));
}

/** The type of a value, to stand in a declaration of another type. */
export function typeText(name: string, schema: Schema, side: Side): string {
  const root = jsonSchema(schema);
  const optional = root[RICH_KEYWORD] !== "undefined" && mayBeLeftOut(schema) ? " | undefined" : "";
  return new Printer(name, root, side).type(root, []) + optional;
}

/** Breaks an object type at its members if the declaration does not fit on one line. */
export function declaration(name: string, text: string): string {
  const line = `type ${name} = ${text};`;
  if (line.length <= WIDTH || !text.startsWith("{ ") || !text.endsWith(" }")) return line;
  const members = split(text.slice(2, -2));
  return members ? `type ${name} = {\n${members.map((member) => `  ${member};\n`).join("")}};` : line;
}

/** The members of an object type; undefined if the braces around them do not belong together. */
function split(text: string): string[] | undefined {
  const members = [""];
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|; |./gs)) {
    if ("{[(<".includes(token)) depth++;
    else if ("}])>".includes(token)) depth--;
    if (depth < 0) return undefined;
    if (token === "; " && depth === 0) members.push("");
    else members[members.length - 1] += token;
  }
  return members;
}

class Printer {
  constructor(
    readonly name: string,
    readonly root: JsonSchema,
    readonly side: Side,
  ) {}

  type(part: JsonSchema, around: readonly JsonSchema[]): string {
    const schema = this.#resolve(part);
    // Only the outermost type has a name that a part of it can refer to.
    if (around.includes(schema)) return schema === this.root ? this.name : "unknown";
    const within = (inner: JsonSchema) => this.type(inner, [...around, schema]);
    const items = isSchema(schema["items"]) ? schema["items"] : undefined;
    switch (schema[RICH_KEYWORD]) {
      case "Date":
        return "Date";
      case "bigint":
        return Array.isArray(schema["enum"])
          ? schema["enum"].map((value) => `${String(value)}n`).join(" | ")
          : "bigint";
      case "number":
        return "number";
      case "undefined":
        // TypeScript infers void from z.void(). A parameter of type void takes undefined, too.
        return this.side === "received" ? "void" : "undefined";
      case "set":
        return `Set<${items ? within(items) : "unknown"}>`;
      case "map": {
        const [key, value] = schemas(items?.["prefixItems"]);
        return `Map<${key ? within(key) : "unknown"}, ${value ? within(value) : "unknown"}>`;
      }
    }
    if ("const" in schema) return JSON.stringify(schema["const"]);
    if (Array.isArray(schema["enum"])) return schema["enum"].map((value) => JSON.stringify(value)).join(" | ");
    const alternatives = [...schemas(schema["anyOf"]), ...schemas(schema["oneOf"])];
    if (alternatives.length > 0) return [...new Set(alternatives.map(within))].join(" | ");
    const parts = schemas(schema["allOf"]);
    if (parts.length > 0) return parts.map(within).map(grouped).join(" & ");
    if (schema["not"] !== undefined) return "never";
    if (Array.isArray(schema["prefixItems"])) {
      const rest = items ? [`...${grouped(within(items))}[]`] : [];
      return `[${[...schemas(schema["prefixItems"]).map(within), ...rest].join(", ")}]`;
    }
    switch (schema["type"]) {
      case "array":
        return `${grouped(items ? within(items) : "unknown")}[]`;
      case "object":
        return this.#object(schema, within);
      case "integer":
      case "number":
        return "number";
      case "string":
      case "boolean":
      case "null":
        return schema["type"];
      default:
        return "unknown";
    }
  }

  #object(schema: JsonSchema, within: (inner: JsonSchema) => string): string {
    const required = Array.isArray(schema["required"]) ? schema["required"] : [];
    const properties = Object.entries((schema["properties"] ?? {}) as { [name: string]: JsonSchema });
    const members = properties.map(([name, child]) => {
      const isPresent = required.includes(name) || (this.side === "received" && "default" in child);
      return `${propertyName(name)}${isPresent ? "" : "?"}: ${within(child)}`;
    });
    const others = schema["additionalProperties"];
    if (isSchema(others)) members.push(`[key: string]: ${members.length > 0 ? "unknown" : within(others)}`);
    return members.length > 0 ? `{ ${members.join("; ")} }` : "{}";
  }

  #resolve(schema: JsonSchema): JsonSchema {
    const reference = schema["$ref"];
    if (typeof reference !== "string") return schema;
    if (reference === "#") return this.root;
    const definitions = (this.root["$defs"] ?? {}) as { [name: string]: JsonSchema };
    return definitions[reference.replace("#/$defs/", "")] ?? {};
  }
}

/** A union or intersection needs parentheses before `[]` and beside `&`. */
function grouped(text: string): string {
  return /[|&]/.test(text) ? `(${text})` : text;
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function schemas(value: unknown): JsonSchema[] {
  return Array.isArray(value) ? value.filter(isSchema) : [];
}
