import type { Schema } from "./schema.js";

/**
 * What happens to a request if the connection drops before the answer arrives:
 * - `query`: the request changes nothing. After a reconnect, the client sends the request again.
 * - `mutation`: the request changes something, and the application may repeat the request under the
 *   same idempotency key. The call rejects with CONNECTION_LOST; the client repeats nothing.
 * - `once`: the request must not be repeated. The call rejects with CONNECTION_LOST, because the
 *   outcome is unknown.
 */
export type RequestKind = "query" | "mutation" | "once";

/** A request that a client can send, and its answer. */
export interface RequestDefinition {
  /**
   * Whether the client repeats the request after a reconnect.
   * @default "once"
   */
  readonly kind?: RequestKind;
  /** The schema of the value that the caller sends. If absent, the request takes no input. */
  readonly input?: Schema;
  /** The schema of the value that the handler returns. If absent, the response has no output. */
  readonly output?: Schema;
  /**
   * The errors that the handler may throw and the caller can expect: codes in UPPER_SNAKE_CASE,
   * each with the schema of its data.
   */
  readonly errors?: { readonly [code: string]: Schema };
  /** One sentence for the generated reference. */
  readonly description?: string;
}

/**
 * How much of a channel the server stores, so that a client that reconnects receives the events
 * that it missed.
 */
export interface HistoryDefinition {
  /** How many of the latest events are stored. 1 to 100,000. */
  readonly size: number;
  /** How long an event is stored. Milliseconds, 1,000 to 2,592,000,000 (30 days). */
  readonly ttlMs: number;
}

/**
 * A channel that clients can join. At least one of `events`, `document` and `presence` is required.
 */
export interface ChannelDefinition {
  /**
   * The schema of the key, a string. If declared, each key is a separate channel, such as
   * `board:7c1f`.
   */
  readonly key?: Schema<string>;
  /** The events that can be published on the channel, each with the schema of its data. */
  readonly events?: { readonly [event: string]: Schema };
  /**
   * The schema of the versioned document that belongs to the channel: an object or a list. The
   * document's changes are part of the channel's history, like the events. Unless `history` says
   * otherwise, the server stores the last 128 events and changes for 10 minutes.
   */
  readonly document?: Schema;
  /**
   * The schema of the data that other members see of a user on the channel. If declared, members
   * can list the users who are present.
   */
  readonly presence?: Schema;
  /**
   * If declared, the server stores the events. A client that reconnects receives the missed events,
   * or a `reset` with the reason if the server does not have all of them. If neither `history` nor
   * `document` is declared, a client misses the events that are published while it is disconnected.
   */
  readonly history?: HistoryDefinition;
  /** One sentence for the generated reference. */
  readonly description?: string;
}

/** The argument of `defineProtocol`. */
export interface ProtocolDefinition {
  /** A letter, then letters, digits or dashes; at most 64 characters. */
  readonly name: string;
  /**
   * A semantic version. Client and server have to agree on the major number (before 1.0.0: on the
   * minor number).
   */
  readonly version: string;
  /** One paragraph for the generated reference. */
  readonly description?: string;
  /**
   * The schema of the connection's query string: an object whose fields are strings, or values that
   * `z.coerce` makes from strings.
   */
  readonly parameters?: Schema<object, unknown>;
  readonly requests?: { readonly [name: string]: RequestDefinition };
  readonly channels?: { readonly [name: string]: ChannelDefinition };
  /**
   * Direct events: events that the server sends to one user or one session, without a channel. Each
   * has the schema of its data.
   */
  readonly direct?: { readonly [event: string]: Schema };
  /**
   * If `required`, a connection is refused unless the client names its device or `authenticate`
   * returns one. If `optional`, a session without a device counts as a device of its own.
   * @default "optional"
   */
  readonly deviceId?: "optional" | "required";
}
