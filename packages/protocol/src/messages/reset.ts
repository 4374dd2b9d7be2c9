import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc } from "./envelope.js";
import { position, resetReason } from "./position.js";

export const reset = z.object({
  ...envelope,
  type: z.literal("reset"),
  channel: channelName,
  data: z.object({
    /** Why it cannot be continued. */
    reason: resetReason,
    /** Where the channel stands now. */
    position: z.optional(position),
  }),
});
export type ResetMessage = z.output<typeof reset>;

export const resetDoc: MessageDoc<ResetMessage> = {
  sentWhen:
    "When events of a channel were lost while connected, before any newer event: the client's position is void.",
  example: {
    type: "reset",
    channel: "agent-updates",
    data: { reason: "fork", position: { epoch: "b7Qx", offset: 44, id: "t0Lq5e" } },
  },
};
