import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc } from "./envelope.js";
import { position } from "./position.js";

export const subscribe = z.object({
  ...envelope,
  type: z.literal("subscribe"),
  data: z.object({
    /** Channels to join: a name, or a name with the position to continue from. */
    channels: z
      .array(
        z.union([
          channelName,
          z.object({
            channel: channelName,
            /** The last event applied; left out, from now on. */
            position: z.optional(position),
            /**
             * Of a channel with state. `held`: the document at `position` is there, so updates will
             * do where they take less than the document. `mismatch`: the copy's hash was not the
             * one sent. Left out: the document is needed.
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
  sentWhen: "To join channels; after a reconnect, right behind `auth`, with the positions held.",
  example: {
    type: "subscribe",
    correlation_id: "2",
    data: {
      channels: ["metrics", { channel: "agent-updates", position: { epoch: "b7Qx", offset: 41, id: "9fK2mW" } }],
    },
  },
};
