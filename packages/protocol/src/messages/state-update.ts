import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc, richMeta } from "./envelope.js";
import { link } from "./position.js";

export const stateUpdate = z.object({
  ...envelope,
  type: z.literal("state_update"),
  channel: channelName,
  data: z.object({
    /** Of the document after this update: one more than before it. */
    version: z.int().check(z.positive()),
    /**
     * In order. `remove` deletes the value at the path. Array positions are numbers: `add` inserts
     * there. An empty path is the whole document. No patches: a snapshot follows that makes them
     * needless.
     */
    patches: z.array(
      z.object({
        /** What to do at the path. */
        op: z.enum(["add", "replace", "remove"]),
        /** From the root of the document: names and positions. */
        path: z.array(z.union([z.string(), z.int()])).check(z.maxLength(32)),
        /** The new value of `add` and `replace`. */
        value: z.optional(z.unknown()),
      }),
    ),
    /**
     * Present every 32 versions: the hash of the document after this update, as in `state_sync`.
     */
    hash: z.optional(z.string()),
  }),
  /** Annotates the whole document from now on. Left out where this update does not change that. */
  meta: z.optional(richMeta),
  /** Its place in the channel's chain. */
  metadata: link,
});
export type StateUpdateMessage = z.output<typeof stateUpdate>;

export const stateUpdateDoc: MessageDoc<StateUpdateMessage> = {
  sentWhen: "For each change of a channel's state, as an event of the channel's own chain.",
  example: {
    type: "state_update",
    channel: "board:7c1f",
    data: { version: 8, patches: [{ op: "replace", path: ["cycle"], value: 4 }] },
    metadata: { offset: 13, id: "t0Lq5e", prev: "p3Vd8s" },
  },
};
