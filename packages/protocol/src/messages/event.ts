import * as z from "zod/mini";
import { channelName, envelope, memberName, type MessageDoc, richMeta } from "./envelope.js";
import { link } from "./position.js";

/**
 * Delivers one publication of a channel. On a channel with history, `metadata` links each event to
 * the previous event, so that the client notices a missing event.
 */
export const event = z.object({
  ...envelope,
  type: z.literal("event"),
  channel: channelName,
  /** The name of the event. */
  event: memberName,
  /** The data of the event, by its schema. */
  data: z.optional(z.unknown()),
  /** Annotates `data`. */
  meta: z.optional(richMeta),
  /**
   * The link of the event to the channel's chain, on channels with history. The id is also present
   * if an `ack` is requested.
   */
  metadata: z.optional(
    z.extend(z.partial(link), {
      /** True if the sender waits for an `ack` with the event's id. */
      ack: z.optional(z.boolean()),
    }),
  ),
});
export type EventMessage = z.output<typeof event>;

export const eventDoc: MessageDoc<EventMessage> = {
  sentWhen:
    "For each publication on a channel that this connection has joined. Every subscriber receives the same bytes.",
  example: {
    type: "event",
    channel: "agent-updates",
    event: "statusChanged",
    data: { agentId: "a1", status: "running" },
    metadata: { offset: 42, id: "p3Vd8s", prev: "9fK2mW" },
  },
};
