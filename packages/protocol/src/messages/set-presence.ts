import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc, richMeta } from "./envelope.js";

export const setPresence = z.object({
  ...envelope,
  type: z.literal("set_presence"),
  channel: channelName,
  /**
   * The presence data of this device, by the channel's presence schema. Other members see this
   * data, unless the application shows something else. If absent, the device shows nothing.
   */
  data: z.optional(z.unknown()),
  /** Annotates `data`. */
  meta: z.optional(richMeta),
});
export type SetPresenceMessage = z.output<typeof setPresence>;

export const setPresenceDoc: MessageDoc<SetPresenceMessage> = {
  sentWhen:
    "On a channel with presence that the client has joined: to set, change or remove the presence data of this user.",
  example: { type: "set_presence", correlation_id: "5", channel: "board:7c1f", data: { name: "Ada" } },
};
