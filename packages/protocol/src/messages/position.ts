import * as z from "zod/mini";
import { opaqueId } from "./envelope.js";

/**
 * A position in a channel's history: the last event that a client has applied, or the newest event
 * of the channel. The id proves that the history is continuous: a store that was rolled back issues
 * the same offsets again under the same epoch, but never the same ids.
 */
export const position = z.object({
  /** The epoch of the channel's history. A new epoch starts when the history was lost. */
  epoch: z.string().check(z.maxLength(64)),
  /**
   * The offset of the event at this position: 1 for the first event of the epoch; 0 before the
   * first event.
   */
  offset: z.int().check(z.nonnegative()),
  /** The id of the event at that offset; empty before the first event. */
  id: z.string().check(z.maxLength(128)),
});
export type Position = z.output<typeof position>;

/**
 * The link that an event of a channel with history carries. A client compares the link with its
 * position to see whether an event is missing.
 */
export const link = z.object({
  /** The offset of the event in the channel's history, from 1. */
  offset: z.int().check(z.positive()),
  /** The id of this event. No other event ever has the same id. */
  id: opaqueId,
  /** The id of the previous event; empty for the first event of an epoch. */
  prev: z.string().check(z.maxLength(128)),
});
export type Link = z.output<typeof link>;

/** The reasons why the server cannot replay the events after a position. */
export const resetReasons = [
  /** The history was lost and has started again. */
  "epoch",
  /** The store was rolled back and has another event at that offset. */
  "fork",
  /** The next events are no longer stored. */
  "trimmed",
  /** The client missed more events than one answer may replay. */
  "too_many",
  /** The server stores no history of the channel. */
  "server",
] as const;
export type ResetReason = (typeof resetReasons)[number];

/**
 * A reason that only a newer server knows is read as `server`, so that the reset itself is not
 * lost.
 */
// oxlint-disable-next-line promise/valid-params -- the catch of a schema, not of a promise
export const resetReason = z.catch(z.enum(resetReasons), "server");
