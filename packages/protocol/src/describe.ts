import { createHash } from "node:crypto";
import { canonicalJson } from "./canonical-json.js";
import type { Protocol, RequestKind } from "./define-protocol.js";
import { type JsonSchema, jsonSchema, type JsonSchemaOptions } from "./json-schema.js";
import { shapeOf } from "./schema-shape.js";
import type { ValueSchema } from "./value.js";

export { type JsonSchema, jsonSchema, type JsonSchemaOptions, RICH_KEYWORD } from "./json-schema.js";

export interface RequestDescription {
  readonly kind: RequestKind;
  readonly description?: string;
  readonly input?: JsonSchema;
  readonly output?: JsonSchema;
  readonly errors: { readonly [code: string]: JsonSchema };
}

export interface ChannelDescription {
  readonly description?: string;
  readonly key?: JsonSchema;
  readonly events: { readonly [event: string]: JsonSchema };
  readonly document?: JsonSchema;
  readonly presence?: JsonSchema;
  readonly history?: { readonly size: number; readonly ttlMs: number };
}

/**
 * A protocol as plain JSON. Every schema is a JSON Schema, and all members keep the order of the
 * definition.
 */
export interface ProtocolDescription {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly parameters?: JsonSchema;
  readonly requests: { readonly [name: string]: RequestDescription };
  readonly channels: { readonly [name: string]: ChannelDescription };
  readonly direct: { readonly [event: string]: JsonSchema };
}

/** Describes a protocol as plain JSON, for documents, comparisons and tools in other languages. */
export function describe(protocol: Protocol, options: JsonSchemaOptions = {}): ProtocolDescription {
  const { definition } = protocol;
  const schemaOf = (value: ValueSchema): JsonSchema => (value.schema ? jsonSchema(value.schema, options) : {});
  const optional = <Key extends string>(key: Key, value: ValueSchema | undefined) =>
    (value?.schema ? { [key]: schemaOf(value) } : {}) as { [K in Key]?: JsonSchema };
  const described = (text: string | undefined) => (text === undefined ? {} : { description: text });

  return {
    name: protocol.name,
    version: protocol.version,
    ...described(definition.description),
    ...optional("parameters", protocol.parameters),
    requests: record(protocol.requests, (request) => ({
      kind: request.kind,
      ...described(definition.requests?.[request.name]?.description),
      ...optional("input", request.input),
      ...optional("output", request.output),
      errors: record(request.errors, schemaOf),
    })),
    channels: record(protocol.channels, (channel) => ({
      ...described(definition.channels?.[channel.name]?.description),
      ...optional("key", channel.key),
      events: record(channel.events, schemaOf),
      ...optional("document", channel.document),
      ...optional("presence", channel.presence),
      ...(channel.history && { history: channel.history }),
    })),
    direct: record(protocol.direct, schemaOf),
  };
}

/**
 * The fingerprint of a protocol: 16 hex characters that change if a schema of the protocol changes.
 * Two sides with the same fingerprint accept the same values, even if their versions of zod differ;
 * only refinements and other functions may differ, because a function cannot be compared. The
 * fingerprint also ignores everything that does not change the values that may travel: descriptions
 * and examples, the protocol's name and version, the order of fields, default values, and the size
 * and age of stored histories.
 */
export function fingerprint({ parameters, requests, channels, direct }: Protocol): string {
  const shape = (value: ValueSchema | undefined) => value?.schema && shapeOf(value.schema);
  return hash({
    parameters: shape(parameters),
    requests: record(requests, ({ kind, input, output, errors }) => ({
      kind,
      input: shape(input),
      output: shape(output),
      errors: record(errors, shape),
    })),
    channels: record(channels, ({ key, events, document, presence }) => ({
      key: shape(key),
      events: record(events, shape),
      document: shape(document),
      presence: shape(presence),
    })),
    direct: record(direct, shape),
  });
}

/** The first 16 hex characters of the SHA-256 of the value's canonical JSON. */
export function hash(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex").slice(0, 16);
}

function record<From, To>(map: ReadonlyMap<string, From>, make: (from: From) => To): { [name: string]: To } {
  return Object.fromEntries([...map].map(([name, from]) => [name, make(from)]));
}
