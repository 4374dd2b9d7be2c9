import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc, opaqueId } from "./envelope.js";

export const ack = z.object({
  ...envelope,
  type: z.literal("ack"),
  channel: z.optional(channelName),
  data: z.object({
    /** The id of the event whose handlers have finished. */
    id: opaqueId,
    /**
     * Why it was not handled: nobody listens to the event, its data is not of the protocol, or a
     * handler failed.
     */
    failure: z.optional(z.enum(["not_handled", "invalid", "handler_failed"])),
  }),
});
export type AckMessage = z.output<typeof ack>;

export const ackDoc: MessageDoc<AckMessage> = {
  sentWhen: "When a handler has finished with an event whose sender asked to be told.",
  example: { type: "ack", data: { id: "9fK2mW" } },
};
