import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc, richMeta } from "./envelope.js";
import { link } from "./position.js";

/**
 * Changes the document of a channel by patches. Like an event, the update is part of the channel's
 * chain: a client applies an update only if it directly follows the client's position.
 */
export const stateUpdate = z.object({
  ...envelope,
  type: z.literal("state_update"),
  channel: channelName,
  data: z.object({
    /** The version of the document after this update: one more than before. */
    version: z.int().check(z.positive()),
    /**
     * The changes, in order. `remove` deletes the value at the path. The index of a list is a
     * number, and `add` inserts at that index. An empty path is the whole document. If there are no
     * patches, a `state_sync` follows instead.
     */
    patches: z.array(
      z.object({
        /** The operation at the path. */
        op: z.enum(["add", "replace", "remove"]),
        /** The path from the root of the document: names of fields and indices of lists. */
        path: z.array(z.union([z.string(), z.int()])).check(z.maxLength(32)),
        /** The new value, for `add` and `replace`. */
        value: z.optional(z.unknown()),
      }),
    ),
    /**
     * The hash of the document after this update, as in `state_sync`. Present in every 32nd
     * version.
     */
    hash: z.optional(z.string()),
  }),
  /**
   * Annotates the whole document from this update on. Left out if this update does not change the
   * annotations.
   */
  meta: z.optional(richMeta),
  /** The link of the update to the channel's chain. */
  metadata: link,
});
export type StateUpdateMessage = z.output<typeof stateUpdate>;

export const stateUpdateDoc: MessageDoc<StateUpdateMessage> = {
  sentWhen: "For each change of a channel's document, as part of the channel's chain.",
  example: {
    type: "state_update",
    channel: "board:7c1f",
    data: { version: 8, patches: [{ op: "replace", path: ["cycle"], value: 4 }] },
    metadata: { offset: 13, id: "t0Lq5e", prev: "p3Vd8s" },
  },
};
