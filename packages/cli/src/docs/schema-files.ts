import { type JsonSchema, jsonSchema } from "@holdfast/protocol/describe";
import { wireMessages } from "@holdfast/protocol/wire";
import type { Application, DocumentedValue } from "./application.js";
import { wireSchema } from "./wire-schema.js";

const DIALECT = "https://json-schema.org/draft/2020-12/schema";
/**
 * The mark in every generated schema. A later run recognises files of this generator by the mark
 * and can remove them.
 */
export const GENERATED = "Generated from the schemas. Change those, not this file.";

/** The wire messages, one JSON Schema each, by file name. */
export function wireSchemaFiles(): Map<string, JsonSchema> {
  return new Map(wireMessages.map((message) => [`messages/${message.type}.json`, document(wireSchema(message))]));
}

/**
 * The values of an application, one JSON Schema each. Folders follow the definition because names
 * may contain dots: the files of requests `a.b` with input and `a` with `b.input` must not collide.
 */
export function applicationSchemaFiles({
  parameters,
  requests,
  channels,
  direct,
}: Application): Map<string, JsonSchema> {
  const files = new Map<string, JsonSchema>();
  const add = (path: string, value: DocumentedValue | undefined): void => {
    if (value) files.set(`${path}.json`, document({ title: path, ...jsonSchema(value.schema) }));
  };
  add("parameters", parameters);
  for (const { name, input, output, errors } of requests) {
    add(`requests/${name}/input`, input);
    add(`requests/${name}/output`, output);
    for (const { code, value } of errors) add(`requests/${name}/errors/${code}`, value);
  }
  for (const { name, key, events, state, presence } of channels) {
    add(`channels/${name}/key`, key);
    for (const event of events) add(`channels/${name}/events/${event.name}`, event.value);
    add(`channels/${name}/state`, state);
    add(`channels/${name}/presence`, presence);
  }
  for (const { name, value } of direct) add(`direct/${name}`, value);
  return files;
}

function document(schema: JsonSchema): JsonSchema {
  return { $schema: DIALECT, $comment: GENERATED, ...schema };
}
