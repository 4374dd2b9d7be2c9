import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc, richMeta } from "./envelope.js";

export const setPresence = z.object({
  ...envelope,
  type: z.literal("set_presence"),
  channel: channelName,
  /**
   * The data that other members see, by the channel's presence schema. If absent, the user is no
   * longer listed.
   */
  data: z.optional(z.unknown()),
  /** Annotates `data`. */
  meta: z.optional(richMeta),
});
export type SetPresenceMessage = z.output<typeof setPresence>;

export const setPresenceDoc: MessageDoc<SetPresenceMessage> = {
  sentWhen:
    "On a channel with presence that the client has joined: to set or change the data that other members see of this user.",
  example: { type: "set_presence", correlation_id: "5", channel: "board:7c1f", data: { name: "Ada" } },
};
