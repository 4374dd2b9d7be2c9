import { type JsonSchema, jsonSchema, type JsonSchemaOptions } from "@holdfast/protocol/describe";
import type { WireMessage } from "@holdfast/protocol/wire";
import { fieldNotes } from "./field-notes.js";

const FIRST = ["type", "correlation_id", "channel", "event", "data", "meta", "metadata"];

/**
 * The JSON Schema of a wire message, with the comments on its fields in the source as
 * descriptions.
 */
export function wireSchema(message: WireMessage, options: JsonSchemaOptions = {}): JsonSchema {
  const schema = jsonSchema(message.schema, options) as JsonSchema & { properties: { [name: string]: JsonSchema } };
  const properties = Object.fromEntries(
    Object.entries(schema.properties).sort(([a], [b]) => FIRST.indexOf(a) - FIRST.indexOf(b)),
  );
  return annotate({ title: message.type, description: message.sentWhen, ...schema, properties }, message.type);
}

/**
 * Adds each note to its field. Paths are written as in the field tables:
 * `data.channels[].position`.
 */
function annotate(schema: JsonSchema, path: string): JsonSchema {
  const annotated: Record<string, unknown> = { ...schema };
  const { properties, items } = schema;
  if (isSchema(properties)) {
    annotated["properties"] = Object.fromEntries(
      Object.entries(properties as { [name: string]: JsonSchema }).map(([name, child]) => {
        const note = fieldNotes[`${path}.${name}`];
        const described = note === undefined || "description" in child ? child : { ...child, description: note };
        return [name, annotate(described, `${path}.${name}`)];
      }),
    );
  }
  if (isSchema(items)) annotated["items"] = annotate(items, `${path}[]`);
  for (const keyword of ["anyOf", "oneOf", "allOf"]) {
    const parts = schema[keyword];
    if (Array.isArray(parts)) annotated[keyword] = parts.map((part: JsonSchema) => annotate(part, path));
  }
  return annotated;
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
