import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc } from "./envelope.js";

export const subscriptions = z.object({
  ...envelope,
  type: z.literal("subscriptions"),
  data: z.object({ /** The channels that this connection has joined. */ channels: z.array(channelName) }),
});
export type SubscriptionsMessage = z.output<typeof subscriptions>;

export const subscriptionsDoc: MessageDoc<SubscriptionsMessage> = {
  sentWhen: "In answer to `list_subscriptions`.",
  example: { type: "subscriptions", correlation_id: "4", data: { channels: ["agent-updates", "metrics"] } },
};
