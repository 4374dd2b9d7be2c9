import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc, richMeta } from "./envelope.js";
import { position } from "./position.js";

/**
 * Sends the whole document of a channel. The document replaces the client's copy, and each later
 * `state_update` changes that copy.
 */
export const stateSync = z.object({
  ...envelope,
  type: z.literal("state_sync"),
  channel: channelName,
  data: z.object({
    /**
     * The whole document, by the channel's document schema. Left out if the channel has no document
     * yet.
     */
    state: z.optional(z.unknown()),
    /** The version: the number of changes so far; 0 before the document exists. */
    version: z.int().check(z.nonnegative()),
    /** The last event that the document includes. */
    position,
    /**
     * A hash by which the client checks its copy: 64-bit FNV-1a, as 16 hex digits, over the UTF-8
     * of the canonical JSON (RFC 8785) of `state`. Empty if `state` is left out.
     */
    hash: z.string(),
  }),
  /** Annotates `data.state`. */
  meta: z.optional(richMeta),
});
export type StateSyncMessage = z.output<typeof stateSync>;

export const stateSyncDoc: MessageDoc<StateSyncMessage> = {
  sentWhen:
    "After the answer to a `subscribe` to a channel with a document, and whenever updates cannot bring the client's copy up to date.",
  example: {
    type: "state_sync",
    channel: "board:7c1f",
    data: {
      state: { cycle: 3 },
      version: 7,
      position: { epoch: "b7Qx", offset: 12, id: "p3Vd8s" },
      hash: "2b344486538af98a",
    },
  },
};
