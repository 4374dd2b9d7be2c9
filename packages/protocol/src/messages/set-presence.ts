import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc, richMeta } from "./envelope.js";

export const setPresence = z.object({
  ...envelope,
  type: z.literal("set_presence"),
  channel: channelName,
  /** What the others see, by the channel's presence schema. Left out: nothing any more. */
  data: z.optional(z.unknown()),
  /** Annotates `data`. */
  meta: z.optional(richMeta),
});
export type SetPresenceMessage = z.output<typeof setPresence>;

export const setPresenceDoc: MessageDoc<SetPresenceMessage> = {
  sentWhen: "On a channel with presence that was joined: to say what the others see of this user, and when it changes.",
  example: { type: "set_presence", correlation_id: "5", channel: "board:7c1f", data: { name: "Ada" } },
};
