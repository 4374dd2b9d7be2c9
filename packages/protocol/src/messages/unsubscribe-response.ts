import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc } from "./envelope.js";

export const unsubscribeResponse = z.object({
  ...envelope,
  type: z.literal("unsubscribe_response"),
  data: z.object({ success: z.boolean(), /** The channels that were left. */ unsubscribed: z.array(channelName) }),
});
export type UnsubscribeResponseMessage = z.output<typeof unsubscribeResponse>;

export const unsubscribeResponseDoc: MessageDoc<UnsubscribeResponseMessage> = {
  sentWhen: "In answer to `unsubscribe`. Leaving a channel that the client has not joined succeeds.",
  example: { type: "unsubscribe_response", correlation_id: "3", data: { success: true, unsubscribed: ["metrics"] } },
};
