import * as z from "zod/mini";
import { opaqueId } from "./envelope.js";

/**
 * The last event applied on a channel. The id is what proves continuity: a store that was rolled
 * back issues the same offsets again under the same epoch, but never the same ids.
 */
export const position = z.object({
  /** Names one life of the channel's history; a new one starts when the history was lost. */
  epoch: z.string().check(z.maxLength(64)),
  /** Counts the events of that life, from 1; 0 before the first. */
  offset: z.int().check(z.nonnegative()),
  /** The id of the event at that offset; empty before the first. */
  id: z.string().check(z.maxLength(128)),
});
export type Position = z.output<typeof position>;

/**
 * What an event of a channel with history carries, so that a client can tell whether it follows its
 * position.
 */
export const link = z.object({
  /** Its place in the channel's history, from 1. */
  offset: z.int().check(z.positive()),
  /** Names this event; no other ever has the same. */
  id: opaqueId,
  /** The id of the event before it; empty for the first of an epoch. */
  prev: z.string().check(z.maxLength(128)),
});
export type Link = z.output<typeof link>;

/** Why a position cannot be continued. */
export const resetReasons = [
  /** The history was lost and begun anew. */
  "epoch",
  /** The store was rolled back: it holds another event at that offset. */
  "fork",
  /** The next events are no longer kept. */
  "trimmed",
  /** More was missed than is sent in one answer. */
  "too_many",
  /** The server keeps no history of the channel. */
  "server",
] as const;
export type ResetReason = (typeof resetReasons)[number];

/**
 * A reason that a newer server gives counts as `server`: it is a reset all the same, and must not
 * be lost.
 */
// oxlint-disable-next-line promise/valid-params -- the catch of a schema, not of a promise
export const resetReason = z.catch(z.enum(resetReasons), "server");
