import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc } from "./envelope.js";

export const unsubscribe = z.object({
  ...envelope,
  type: z.literal("unsubscribe"),
  data: z.object({
    /** The channels to leave. */
    channels: z.array(channelName).check(z.minLength(1), z.maxLength(1_000)),
  }),
});
export type UnsubscribeMessage = z.output<typeof unsubscribe>;

export const unsubscribeDoc: MessageDoc<UnsubscribeMessage> = {
  sentWhen: "When the client no longer needs the channels.",
  example: { type: "unsubscribe", correlation_id: "3", data: { channels: ["metrics"] } },
};
