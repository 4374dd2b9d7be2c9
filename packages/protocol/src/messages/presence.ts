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
 * and each later `change` changes that list. The server may limit the list.
 */
export const presence = z.object({
  ...envelope,
  type: z.literal("presence"),
  channel: channelName,
  data: z.object({
    /** `snapshot` gives the whole list in `joined`; `change` gives only the differences. */
    kind: z.enum(["snapshot", "change"]),
    /** Users to add to the list; in a snapshot, every user on the list. */
    joined: z.array(presenceMember),
    /** Users whose data or devices have changed. */
    updated: z.array(presenceMember),
    /** The ids of users to remove from the list. */
    left: z.array(z.string()),
    /**
     * How many users are present. If the server limits the list, the number is higher than the
     * number of listed users.
     */
    count: z.int().check(z.nonnegative()),
  }),
});
export type PresenceMessage = z.output<typeof presence>;

export const presenceDoc: MessageDoc<PresenceMessage> = {
  sentWhen: "On a channel with presence: after `subscribe` a snapshot of the present users, then changes in batches.",
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
