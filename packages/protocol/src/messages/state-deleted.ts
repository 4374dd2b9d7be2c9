import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc } from "./envelope.js";
import { link } from "./position.js";

export const stateDeleted = z.object({
  ...envelope,
  type: z.literal("state_deleted"),
  channel: channelName,
  data: z.object({ /** The reason that the application gave. */ reason: z.string() }),
  /** The link of the deletion to the channel's chain. */
  metadata: link,
});
export type StateDeletedMessage = z.output<typeof stateDeleted>;

export const stateDeletedDoc: MessageDoc<StateDeletedMessage> = {
  sentWhen: "When the document of a channel was deleted. The message ends the subscription of every member.",
  example: {
    type: "state_deleted",
    channel: "board:7c1f",
    data: { reason: "SESSION_DELETED" },
    metadata: { offset: 14, id: "Zk81wq", prev: "t0Lq5e" },
  },
};
