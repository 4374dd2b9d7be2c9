import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc, richMeta } from "./envelope.js";
import { position } from "./position.js";

export const stateSync = z.object({
  ...envelope,
  type: z.literal("state_sync"),
  channel: channelName,
  data: z.object({
    /** The whole document, by the channel's state schema. */
    state: z.unknown(),
    /** The event up to which it is current. */
    position,
    /** Of the canonical JSON of `state`: the client checks that it holds the same document. */
    hash: z.string(),
  }),
  /** Annotates `data.state`. */
  meta: z.optional(richMeta),
});
export type StateSync = z.output<typeof stateSync>;

export const stateSyncDoc: MessageDoc<StateSync> = {
  sentWhen: "After subscribing to a channel with state, and whenever a client's copy cannot be continued by updates.",
  example: {
    type: "state_sync",
    channel: "board:7c1f",
    data: { state: { cycle: 3 }, position: { epoch: "b7Qx", offset: 12, id: "p3Vd8s" }, hash: "5d41402abc4b2a76" },
  },
};
