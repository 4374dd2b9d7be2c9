import * as z from "zod/mini";
import { envelope, type MessageDoc } from "./envelope.js";

export const listSubscriptions = z.object({ ...envelope, type: z.literal("list_subscriptions") });
export type ListSubscriptionsMessage = z.output<typeof listSubscriptions>;

export const listSubscriptionsDoc: MessageDoc<ListSubscriptionsMessage> = {
  sentWhen: "To ask for the channels that this connection has joined.",
  example: { type: "list_subscriptions", correlation_id: "4" },
};
