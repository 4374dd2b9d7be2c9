import * as z from "zod/mini";
import { correlationId, envelope, type MessageDoc } from "./envelope.js";

export const cancel = z.object({ ...envelope, type: z.literal("cancel"), correlation_id: correlationId });
export type CancelMessage = z.output<typeof cancel>;

export const cancelDoc: MessageDoc<CancelMessage> = {
  sentWhen:
    "When the caller no longer waits for the request with this correlation id. The server aborts the signal of the request's handler.",
  example: { type: "cancel", correlation_id: "5" },
};
