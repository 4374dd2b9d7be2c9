import * as z from "zod/mini";
import { channelName, envelope, memberName, type MessageDoc, richMeta } from "./envelope.js";
import { link } from "./position.js";

/**
 * Delivers one event of a channel, or a direct event. On a channel with history, `metadata` links
 * each event to the previous event, so that the client notices a missing event.
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
   * The link of the event to the channel's chain, on a channel with history. Any other event has an
   * id only if the sender waits for an `ack`.
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
    "For each event that is published on a channel that this connection has joined (every member receives the same bytes), and for each direct event to this session or user.",
  example: {
    type: "event",
    channel: "agent-updates",
    event: "statusChanged",
    data: { agentId: "a1", status: "running" },
    metadata: { offset: 42, id: "p3Vd8s", prev: "9fK2mW" },
  },
};
