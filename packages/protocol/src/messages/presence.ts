import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc, richMeta } from "./envelope.js";

export const presenceMember = z.object({
  /** The user. */
  user_id: z.string(),
  /** The user's devices on the channel. */
  devices: z.array(z.string()),
  /** What the application shows of the user, by the channel's presence schema. */
  data: z.optional(z.unknown()),
  /** Annotates `data`. */
  meta: z.optional(richMeta),
});

export type PresenceMember = z.output<typeof presenceMember>;

export const presence = z.object({
  ...envelope,
  type: z.literal("presence"),
  channel: channelName,
  data: z.object({
    /** `snapshot` lists everyone in `joined`; `change` is a difference to what was known. */
    kind: z.enum(["snapshot", "change"]),
    /** Users who came, or everyone. */
    joined: z.array(presenceMember),
    /** Users whose data or devices changed. */
    updated: z.array(presenceMember),
    /** The ids of users who left. */
    left: z.array(z.string()),
    /** How many users are present; more than are listed where the server lists only so many. */
    count: z.int().check(z.nonnegative()),
  }),
});
export type PresenceMessage = z.output<typeof presence>;

export const presenceDoc: MessageDoc<PresenceMessage> = {
  sentWhen: "On a channel with presence: everyone after subscribing, then who came, changed and left, in batches.",
  example: {
    type: "presence",
    channel: "board:7c1f",
    data: {
      kind: "change",
      joined: [{ user_id: "u2", devices: ["phone"], data: { name: "Ada" } }],
      updated: [],
      left: ["u3"],
      count: 2,
    },
  },
};
