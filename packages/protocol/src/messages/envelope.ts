import * as z from "zod/mini";

/**
 * The fields every message may carry. On the wire a message is one JSON object:
 * `{ type, correlation_id?, channel?, event?, data?, meta?, metadata? }`.
 *
 * Objects are read loosely (unknown fields are dropped, not refused), so that an older peer can
 * talk to a newer one.
 */

/** Ties an answer to its question. Chosen by whoever asks; 1 to 64 characters. */
export const correlationId = z.string().check(z.minLength(1), z.maxLength(64));

/**
 * `name` or `name:key`: printable ASCII, at most 255 characters, so that it is safe in a log line
 * and a Redis key.
 */
export const channelName = z.string().check(z.minLength(1), z.maxLength(255), z.regex(/^[\x21-\x7e]+$/));

/** Names of requests and events. */
export const memberName = z.string().check(z.minLength(1), z.maxLength(128));

/** An opaque id made by a server: the id of an event, a session, a device. */
export const opaqueId = z.string().check(z.minLength(1), z.maxLength(128));

/**
 * What superjson needs to bring back the values JSON cannot hold (Date, Map, Set, BigInt). It
 * annotates the application's value in the message and is present only where that value needs it. A
 * peer never revives it unchecked: see `codec/rich-values.ts`.
 */
export const richMeta = z.unknown();

/**
 * Free notes about a message, such as `client_version`. Nothing in the protocol depends on them.
 */
export const notes = z.record(z.string().check(z.maxLength(64)), z.unknown());

/** Every message accepts these. */
export const envelope = {
  correlation_id: z.optional(correlationId),
  metadata: z.optional(notes),
};

/**
 * How a message is documented. It stands beside the schema, not inside it, so that a client bundle
 * does not carry it.
 */
export interface MessageDoc<Message> {
  /** One sentence: when this message is sent. */
  readonly sentWhen: string;
  /** A valid message, checked against its schema by the tests and shown in the reference. */
  readonly example: Message;
}
