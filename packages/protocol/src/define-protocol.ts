import { checkDefinition } from "./check-definition.js";
import { MAX_STATE_DEPTH } from "./codec/shape.js";
import type { HistoryDefinition, ProtocolDefinition, RequestKind } from "./definition.js";
import { type ValueSchema, valueSchema } from "./value.js";

export type {
  ChannelDefinition,
  HistoryDefinition,
  ProtocolDefinition,
  RequestDefinition,
  RequestKind,
} from "./definition.js";

/** A request, ready for use. */
export interface RequestContract {
  readonly name: string;
  readonly kind: RequestKind;
  readonly input: ValueSchema;
  readonly output: ValueSchema;
  readonly errors: ReadonlyMap<string, ValueSchema>;
}

/** A channel, ready for use. */
export interface ChannelContract {
  readonly name: string;
  readonly key: ValueSchema | undefined;
  readonly events: ReadonlyMap<string, ValueSchema>;
  readonly document: ValueSchema | undefined;
  readonly presence: ValueSchema | undefined;
  /** What is kept for those who come back. A channel with a document always keeps something. */
  readonly history: HistoryDefinition | undefined;
}

/**
 * What an application defines once and both sides import. The maps hold what `definition` says,
 * ready for use.
 */
export interface Protocol<Definition extends ProtocolDefinition = ProtocolDefinition> {
  readonly name: string;
  readonly version: string;
  readonly definition: Definition;
  readonly parameters: ValueSchema | undefined;
  readonly requests: ReadonlyMap<string, RequestContract>;
  readonly channels: ReadonlyMap<string, ChannelContract>;
  readonly direct: ReadonlyMap<string, ValueSchema>;
}

/**
 * Most who come back after a drop miss a few updates; for the others there is the document itself.
 */
const STATE_HISTORY: HistoryDefinition = { size: 128, ttlMs: 600_000 };

// A registered symbol, so that a protocol made by another copy of this package is recognised.
const brand = Symbol.for("holdfast.protocol");

/**
 * Defines a protocol: the one value that drives client, server, docs and tests.
 *
 * @throws HoldfastError INVALID_PROTOCOL, with a sentence that names the place, when the definition
 *   is wrong
 */
export function defineProtocol<const Definition extends ProtocolDefinition>(
  definition: Definition,
): Protocol<Definition> {
  checkDefinition(definition);
  const protocol: Protocol<Definition> = {
    name: definition.name,
    version: definition.version,
    definition,
    parameters: definition.parameters && valueSchema(definition.parameters),
    requests: mapOf(definition.requests, (request, name) => ({
      name,
      kind: request.kind ?? "once",
      input: valueSchema(request.input),
      output: valueSchema(request.output),
      errors: mapOf(request.errors, (schema) => valueSchema(schema)),
    })),
    channels: mapOf(definition.channels, (channel, name) => ({
      name,
      key: channel.key && valueSchema(channel.key),
      events: mapOf(channel.events, (schema) => valueSchema(schema)),
      document: channel.document && valueSchema(channel.document, MAX_STATE_DEPTH),
      presence: channel.presence && valueSchema(channel.presence),
      history: channel.history ?? (channel.document && STATE_HISTORY),
    })),
    direct: mapOf(definition.direct, (schema) => valueSchema(schema)),
  };
  Object.defineProperty(protocol, brand, { value: true });
  return Object.freeze(protocol);
}

export function isProtocol(value: unknown): value is Protocol {
  return typeof value === "object" && value !== null && brand in value;
}

/** Maps, not objects, wherever a peer's string is the key: `constructor` finds nothing in a map. */
function mapOf<From, To>(
  entries: { readonly [name: string]: From } = {},
  make: (from: From, name: string) => To,
): Map<string, To> {
  return new Map(Object.entries(entries).map(([name, from]) => [name, make(from, name)]));
}
