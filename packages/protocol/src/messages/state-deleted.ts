import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc } from "./envelope.js";

export const stateDeleted = z.object({
  ...envelope,
  type: z.literal("state_deleted"),
  channel: channelName,
  data: z.object({ /** Why, for a person. */ reason: z.string() }),
});
export type StateDeleted = z.output<typeof stateDeleted>;

export const stateDeletedDoc: MessageDoc<StateDeleted> = {
  sentWhen: "When the document of a channel is gone; the subscription ends with it.",
  example: { type: "state_deleted", channel: "board:7c1f", data: { reason: "SESSION_DELETED" } },
};
