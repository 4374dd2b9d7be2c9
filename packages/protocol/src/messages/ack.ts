import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc, opaqueId } from "./envelope.js";

/**
 * Acknowledges one event that the server sent with `metadata.ack`. If `failure` is absent, the
 * handlers have processed the event.
 */
export const ack = z.object({
  ...envelope,
  type: z.literal("ack"),
  channel: z.optional(channelName),
  data: z.object({
    /** The id of the acknowledged event. */
    id: opaqueId,
    /**
     * Why the event was not processed: no handler for the event (`not_handled`), data that does not
     * match the protocol (`invalid`), or a handler that failed or never ran (`handler_failed`).
     */
    failure: z.optional(z.enum(["not_handled", "invalid", "handler_failed"])),
  }),
});
export type AckMessage = z.output<typeof ack>;

export const ackDoc: MessageDoc<AckMessage> = {
  sentWhen:
    "For each event with `metadata.ack`: when the handlers have finished, or at once if the client cannot process the event.",
  example: { type: "ack", data: { id: "9fK2mW" } },
};
