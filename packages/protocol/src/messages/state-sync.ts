import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc, richMeta } from "./envelope.js";
import { position } from "./position.js";

export const stateSync = z.object({
  ...envelope,
  type: z.literal("state_sync"),
  channel: channelName,
  data: z.object({
    /** The whole document, by the channel's state schema. Left out: there is none yet. */
    state: z.optional(z.unknown()),
    /** How often it was changed; 0 before it is there. */
    version: z.int().check(z.nonnegative()),
    /** The event up to which it is current. */
    position,
    /**
     * The client checks with it that it holds the same document: 64-bit FNV-1a, as 16 hex digits,
     * over the UTF-8 of the canonical JSON (RFC 8785) of `state`; empty where there is none.
     */
    hash: z.string(),
  }),
  /** Annotates `data.state`. */
  meta: z.optional(richMeta),
});
export type StateSyncMessage = z.output<typeof stateSync>;

export const stateSyncDoc: MessageDoc<StateSyncMessage> = {
  sentWhen:
    "After the answer to a `subscribe` to a channel with state, and whenever a client's copy cannot be continued by updates.",
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
