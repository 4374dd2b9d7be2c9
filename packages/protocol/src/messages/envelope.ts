import * as z from "zod/mini";

/**
 * The fields that every message may carry. On the wire a message is one JSON object: `{ type,
 * correlation_id?, channel?, event?, data?, meta?, metadata? }`.
 *
 * A receiver drops unknown fields and does not refuse the message, so that an older peer can talk
 * to a newer peer.
 */

/**
 * Connects a message with its answer. The sender of the message chooses the id; 1 to 64 characters.
 */
export const correlationId = z.string().check(z.minLength(1), z.maxLength(64));

/**
 * `name` or `name:key`: printable ASCII, at most 255 characters, so that the name is safe in a log
 * line and in a Redis key.
 */
export const channelName = z.string().check(z.minLength(1), z.maxLength(255), z.regex(/^[\x21-\x7e]+$/));

/** The name of a request or an event. */
export const memberName = z.string().check(z.minLength(1), z.maxLength(128));

/** An opaque id, for example of an event, a session or a device; 1 to 128 characters. */
export const opaqueId = z.string().check(z.minLength(1), z.maxLength(128));

/**
 * The annotations by which superjson restores values that JSON cannot hold (Date, Map, Set,
 * BigInt). Present only if the application's value in this message needs annotations. The receiver
 * checks the annotations before restoring anything: see `codec/rich-values.ts`.
 */
export const richMeta = z.unknown();

/**
 * Free notes about a message, such as `client_version`. The protocol does not depend on these
 * notes.
 */
export const notes = z.record(z.string().check(z.maxLength(64)), z.unknown());

/** The fields that every message accepts. */
export const envelope = {
  correlation_id: z.optional(correlationId),
  metadata: z.optional(notes),
};

/**
 * The documentation of a message. Separate from the schema, so that a client bundle does not
 * contain the texts.
 */
export interface MessageDoc<Message> {
  /** When the message is sent, in one or two sentences. */
  readonly sentWhen: string;
  /**
   * A valid message. The tests check the example against the schema, and the reference shows it.
   */
  readonly example: Message;
}
