import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc } from "./envelope.js";
import { wireError } from "./wire-error.js";

export const unsubscribed = z.object({
  ...envelope,
  type: z.literal("unsubscribed"),
  channel: channelName,
  /** The reason. */
  data: wireError,
});
export type UnsubscribedMessage = z.output<typeof unsubscribed>;

export const unsubscribedDoc: MessageDoc<UnsubscribedMessage> = {
  sentWhen:
    "When the server removes the connection from a channel: the client's permission has ended, or the document was deleted and the client missed the `state_deleted`.",
  example: {
    type: "unsubscribed",
    channel: "agent-updates",
    data: { code: "FORBIDDEN", message: "You may not read agent-updates any more.", remedy: "Ask for access." },
  },
};
