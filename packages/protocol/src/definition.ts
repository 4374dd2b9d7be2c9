import type { Schema } from "./schema.js";

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
   * A versioned document that belongs to the channel: an object or a list. Its changes are
   * publications of the channel like its events, so the channel keeps the last 128 of both for 10
   * minutes, unless `history` says otherwise.
   */
  readonly document?: Schema;
  /**
   * What the others see of a user who is on the channel. Present: the channel knows who is there.
   */
  readonly presence?: Schema;
  /**
   * Present: events are kept, and a client that was away gets what it missed, or is told that it
   * cannot.
   */
  readonly history?: HistoryDefinition;
  /** One sentence, for the generated reference. */
  readonly description?: string;
}

export interface ProtocolDefinition {
  /** Letters, digits and dashes. */
  readonly name: string;
  /**
   * Semantic version. Client and server must agree on the major number (before 1.0.0: on the minor
   * one).
   */
  readonly version: string;
  /** One paragraph, for the generated reference. */
  readonly description?: string;
  /**
   * The query string of the connection: an object of strings, or of what `z.coerce` makes of them.
   */
  readonly parameters?: Schema<object, unknown>;
  readonly requests?: { readonly [name: string]: RequestDefinition };
  readonly channels?: { readonly [name: string]: ChannelDefinition };
  /** Events sent to a user's devices. */
  readonly direct?: { readonly [event: string]: Schema };
  /**
   * `required`: a connection that neither names its device nor is given one by `authenticate` is
   * refused. Otherwise each session counts as a device of its own.
   * @default "optional"
   */
  readonly deviceId?: "optional" | "required";
}
