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

/** A request of a protocol, ready to validate its values. */
export interface RequestContract {
  readonly name: string;
  readonly kind: RequestKind;
  readonly input: ValueSchema;
  readonly output: ValueSchema;
  readonly errors: ReadonlyMap<string, ValueSchema>;
}

/** A channel of a protocol, ready to validate its values. */
export interface ChannelContract {
  readonly name: string;
  readonly key: ValueSchema | undefined;
  readonly events: ReadonlyMap<string, ValueSchema>;
  readonly document: ValueSchema | undefined;
  readonly presence: ValueSchema | undefined;
  /**
   * How much history the server keeps for clients that resume. If undefined, the server keeps none.
   * A channel with a document always has a history.
   */
  readonly history: HistoryDefinition | undefined;
}

/**
 * A protocol, made by `defineProtocol`. Client and server import the same value. The maps hold the
 * parts of `definition`, ready to validate values.
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
 * The history of a channel that has a document and declares no `history`. After a short
 * interruption most clients have missed only a few changes; a client that has missed more gets the
 * whole document.
 */
const STATE_HISTORY: HistoryDefinition = { size: 128, ttlMs: 600_000 };

// A registered symbol, because the protocol may come from another copy of this package.
const brand = Symbol.for("holdfast.protocol");

/**
 * Defines the requests, channels, direct events and connection parameters of a protocol. Call this
 * function once, in a module that client and server both import. Types, validation and the
 * reference all follow from the definition. The definition is checked immediately, except in a
 * page's production build.
 *
 * @throws HoldfastError `INVALID_PROTOCOL` if the definition is wrong; `field` names the place of
 *   the first fault
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

/** True if the value is a protocol, even if another copy of this package defined it. */
export function isProtocol(value: unknown): value is Protocol {
  return typeof value === "object" && value !== null && brand in value;
}

/**
 * Makes a Map and not an object, because peers choose the keys that are looked up: in a Map,
 * `constructor` finds nothing.
 */
function mapOf<From, To>(
  entries: { readonly [name: string]: From } = {},
  make: (from: From, name: string) => To,
): Map<string, To> {
  return new Map(Object.entries(entries).map(([name, from]) => [name, make(from, name)]));
}
