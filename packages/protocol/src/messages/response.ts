import * as z from "zod/mini";
import { correlationId, envelope, type MessageDoc, richMeta } from "./envelope.js";
import { wireError } from "./wire-error.js";

export const response = z.object({
  ...envelope,
  type: z.literal("response"),
  correlation_id: correlationId,
  data: z.discriminatedUnion("ok", [
    z.object({ ok: z.literal(true), /** The output, by the schema of the request. */ output: z.optional(z.unknown()) }),
    z.object({ ok: z.literal(false), /** Why the request failed. */ error: wireError }),
  ]),
  /** Annotates `data.output`, or `data.error.data`. */
  meta: z.optional(richMeta),
});
export type ResponseMessage = z.output<typeof response>;

export const responseDoc: MessageDoc<ResponseMessage> = {
  sentWhen: "Once for every `request`, with its output or an error.",
  example: {
    type: "response",
    correlation_id: "5",
    data: { ok: true, output: { id: "a1", startedAt: "2026-11-21T09:30:00.000Z" } },
    meta: { values: { startedAt: ["Date"] } },
  },
};
