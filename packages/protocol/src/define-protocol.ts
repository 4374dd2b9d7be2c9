import { checkDefinition } from "./check-definition.js";
import { MAX_STATE_DEPTH } from "./codec/shape.js";
import type { Schema } from "./schema.js";
import { type ValueSchema, valueSchema } from "./value.js";

/**
 * What may happen to a request whose answer never came:
 * - `query`: changes nothing; the client repeats it by itself after a reconnect
 * - `mutation`: changes something, and may be repeated under the same idempotency key
 * - `once`: is never repeated; the caller is told that the outcome is unknown
 */
export type RequestKind = "query" | "mutation" | "once";

export interface RequestDefinition {
  /** @default "once" */
  readonly kind?: RequestKind;
  /** What the caller sends. Left out: nothing. */
  readonly input?: Schema;
  /** What the handler returns. Left out: nothing. */
  readonly output?: Schema;
  /** Errors the caller can expect, in UPPER_SNAKE_CASE, each with the schema of its data. */
  readonly errors?: { readonly [code: string]: Schema };
  /** One sentence, for the generated reference. */
  readonly description?: string;
}

export interface HistoryDefinition {
  /** How many events are kept for clients that come back. 1 to 100,000. */
  readonly size: number;
  /** How long they are kept. Milliseconds, at least 1,000. */
  readonly ttlMs: number;
}

export interface ChannelDefinition {
  /** Present: there is one channel for each key (`board:7c1f…`). The schema of a string. */
  readonly key?: Schema<string>;
  /** What is published on it. */
  readonly events?: { readonly [event: string]: Schema };
  /**
   * A versioned document that belongs to the channel: an object or a list. Its changes are publications of the channel like its
   * events, so the channel keeps the last 128 of both for 10 minutes, unless `history` says otherwise.
   */
  readonly document?: Schema;
  /** What the others see of a user who is on the channel. Present: the channel knows who is there. */
  readonly presence?: Schema;
  /** Present: events are kept, and a client that was away gets what it missed, or is told that it cannot. */
  readonly history?: HistoryDefinition;
  /** One sentence, for the generated reference. */
  readonly description?: string;
}

export interface ProtocolDefinition {
  /** Letters, digits and dashes. */
  readonly name: string;
  /** Semantic version. Client and server must agree on the major number (before 1.0.0: on the minor one). */
  readonly version: string;
  /** One paragraph, for the generated reference. */
  readonly description?: string;
  /** The query string of the connection: an object of strings, or of what `z.coerce` makes of them. */
  readonly parameters?: Schema<object, unknown>;
  readonly requests?: { readonly [name: string]: RequestDefinition };
  readonly channels?: { readonly [name: string]: ChannelDefinition };
  /** Events sent to a user's devices. */
  readonly direct?: { readonly [event: string]: Schema };
  /**
   * `required`: a connection that neither names its device nor is given one by `authenticate` is refused. Otherwise each
   * session counts as a device of its own.
   * @default "optional"
   */
  readonly deviceId?: "optional" | "required";
}

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

/** What an application defines once and both sides import. The maps hold what `definition` says, ready for use. */
export interface Protocol<Definition extends ProtocolDefinition = ProtocolDefinition> {
  readonly name: string;
  readonly version: string;
  readonly definition: Definition;
  readonly parameters: ValueSchema | undefined;
  readonly requests: ReadonlyMap<string, RequestContract>;
  readonly channels: ReadonlyMap<string, ChannelContract>;
  readonly direct: ReadonlyMap<string, ValueSchema>;
}

/** Most who come back after a drop miss a few updates; for the others there is the document itself. */
const STATE_HISTORY: HistoryDefinition = { size: 128, ttlMs: 600_000 };

// A registered symbol, so that a protocol made by another copy of this package is recognised.
const brand = Symbol.for("holdfast.protocol");

/**
 * Defines a protocol: the one value that drives client, server, docs and tests.
 *
 * @throws HoldfastError INVALID_PROTOCOL, with a sentence that names the place, when the definition is wrong
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
