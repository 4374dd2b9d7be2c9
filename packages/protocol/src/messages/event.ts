import * as z from "zod/mini";
import { channelName, envelope, memberName, type MessageDoc, richMeta } from "./envelope.js";
import { link } from "./position.js";

export const event = z.object({
  ...envelope,
  type: z.literal("event"),
  channel: channelName,
  /** The name of the event. */
  event: memberName,
  /** What happened, by the schema of the event. */
  data: z.optional(z.unknown()),
  /** Annotates `data`. */
  meta: z.optional(richMeta),
  /**
   * Its place in the channel's chain, on channels with history; its id, where an `ack` is asked
   * for.
   */
  metadata: z.optional(
    z.extend(z.partial(link), {
      /** True: the sender waits for an `ack` with the event's id. */
      ack: z.optional(z.boolean()),
    }),
  ),
});
export type EventMessage = z.output<typeof event>;

export const eventDoc: MessageDoc<EventMessage> = {
  sentWhen: "For each publication on a channel this connection has joined; the same bytes for every subscriber.",
  example: {
    type: "event",
    channel: "agent-updates",
    event: "statusChanged",
    data: { agentId: "a1", status: "running" },
    metadata: { offset: 42, id: "p3Vd8s", prev: "9fK2mW" },
  },
};
