import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc, richMeta } from "./envelope.js";

export const presenceMember = z.object({
  /** The id of the user. */
  user_id: z.string(),
  /** The ids of the user's devices on the channel. */
  devices: z.array(z.string()),
  /** The presence data of the user, by the channel's presence schema. */
  data: z.optional(z.unknown()),
  /** Annotates `data`. */
  meta: z.optional(richMeta),
});

export type PresenceMember = z.output<typeof presenceMember>;

/**
 * Tells the members of a channel which users are present. A `snapshot` replaces the client's list,
 * and each later `change` changes that list.
 */
export const presence = z.object({
  ...envelope,
  type: z.literal("presence"),
  channel: channelName,
  data: z.object({
    /** `snapshot` lists every user in `joined`; `change` lists only the differences. */
    kind: z.enum(["snapshot", "change"]),
    /** Users who have joined; in a snapshot, every user who is present. */
    joined: z.array(presenceMember),
    /** Users whose data or devices have changed. */
    updated: z.array(presenceMember),
    /** The ids of users who have left. */
    left: z.array(z.string()),
    /**
     * How many users are present. The number is higher than the listed users if the server limits
     * the list.
     */
    count: z.int().check(z.nonnegative()),
  }),
});
export type PresenceMessage = z.output<typeof presence>;

export const presenceDoc: MessageDoc<PresenceMessage> = {
  sentWhen:
    "On a channel with presence: after `subscribe` with every user who is present, then in batches with the users who joined, changed or left.",
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
