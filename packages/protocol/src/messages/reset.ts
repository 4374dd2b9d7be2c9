import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc } from "./envelope.js";
import { position, resetReason } from "./position.js";

/**
 * Says that the client cannot continue from its position. The client tells the application, which
 * reloads the data that the lost events would have carried, and follows the channel from the
 * position given here.
 */
export const reset = z.object({
  ...envelope,
  type: z.literal("reset"),
  channel: channelName,
  data: z.object({
    /** Why the position cannot be continued. */
    reason: resetReason,
    /** The current position of the channel. */
    position: z.optional(position),
  }),
});
export type ResetMessage = z.output<typeof reset>;

export const resetDoc: MessageDoc<ResetMessage> = {
  sentWhen:
    "When events of a channel were lost during the connection. The `reset` precedes any newer event, and the client's old position is no longer valid.",
  example: {
    type: "reset",
    channel: "agent-updates",
    data: { reason: "fork", position: { epoch: "b7Qx", offset: 44, id: "t0Lq5e" } },
  },
};
