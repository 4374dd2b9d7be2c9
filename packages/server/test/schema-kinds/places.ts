import { type ProtocolDefinition, type Schema } from "@holdfast/protocol";
import * as z from "zod";

const text = z.string();
/** The minimal definition. Each place replaces or adds one part. */
const base = { name: "places", version: "1.0.0", requests: { r: {} }, channels: { c: { events: { e: text } } } };

/**
 * Every place of a protocol definition that takes a schema. `define` returns the part of the
 * definition around the schema, and `at` is the field that an error names.
 */
export const places = {
  input: { at: "requests.r.input", define: (schema: Schema) => ({ requests: { r: { input: schema } } }) },
  output: { at: "requests.r.output", define: (schema: Schema) => ({ requests: { r: { output: schema } } }) },
  error: { at: "requests.r.errors.E", define: (schema: Schema) => ({ requests: { r: { errors: { E: schema } } } }) },
  event: { at: "channels.c.events.e", define: (schema: Schema) => ({ channels: { c: { events: { e: schema } } } }) },
  direct: { at: "direct.e", define: (schema: Schema) => ({ direct: { e: schema } }) },
  presence: { at: "channels.c.presence", define: (schema: Schema) => ({ channels: { c: { presence: schema } } }) },
  document: { at: "channels.c.document", define: (schema: Schema) => ({ channels: { c: { document: schema } } }) },
  key: {
    at: "channels.c.key",
    define: (schema: Schema) => ({ channels: { c: { key: schema as Schema<string>, events: { e: text } } } }),
  },
  parameters: {
    at: "parameters.p",
    define: (schema: Schema) => ({ parameters: z.object({ p: schema as z.ZodType }) }),
  },
} satisfies { [place: string]: { at: string; define: (schema: Schema) => Partial<ProtocolDefinition> } };

export type Place = keyof typeof places;

export function definitionOf(place: Place, schema: Schema): ProtocolDefinition {
  return { ...base, ...places[place].define(schema) };
}
