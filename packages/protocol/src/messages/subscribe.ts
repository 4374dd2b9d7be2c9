import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc } from "./envelope.js";
import { position } from "./position.js";

/**
 * Joins channels. After a reconnect the client sends the last position of each channel with
 * history, and the server replays the events that the client missed, or answers with a reset.
 */
export const subscribe = z.object({
  ...envelope,
  type: z.literal("subscribe"),
  data: z.object({
    /** The channels to join: each a name, or a name with the position to continue from. */
    channels: z
      .array(
        z.union([
          channelName,
          z.object({
            channel: channelName,
            /**
             * The last event that the client has applied. If absent, the server replays nothing.
             */
            position: z.optional(position),
            /**
             * For a channel with a document. `held`: the client has the document at `position`, and
             * the server sends updates if these are smaller than the document. `mismatch`: the hash
             * of the client's copy differs from the hash that the server sent. Unless the value is
             * `held`, the server sends the whole document.
             */
            state: z.optional(z.enum(["held", "mismatch"])),
          }),
        ]),
      )
      .check(z.minLength(1), z.maxLength(1_000)),
  }),
});
export type SubscribeMessage = z.output<typeof subscribe>;

export const subscribeDoc: MessageDoc<SubscribeMessage> = {
  sentWhen:
    "To join channels. After a reconnect the client sends `subscribe` directly after `auth`, with the last position of each channel.",
  example: {
    type: "subscribe",
    correlation_id: "2",
    data: {
      channels: ["metrics", { channel: "agent-updates", position: { epoch: "b7Qx", offset: 41, id: "9fK2mW" } }],
    },
  },
};
