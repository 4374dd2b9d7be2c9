import * as z from "zod/mini";
import { correlationId, envelope, memberName, type MessageDoc, opaqueId, richMeta } from "./envelope.js";

/**
 * Calls a request of the protocol. The server answers with exactly one `response` with the same
 * correlation id. A `cancel` with that id aborts the handler's signal.
 */
export const request = z.object({
  ...envelope,
  type: z.literal("request"),
  correlation_id: correlationId,
  data: z.object({
    /** The name of the request. */
    name: memberName,
    /** The input, by the schema of the request. */
    input: z.optional(z.unknown()),
    /** The idempotency key of a mutation, the same on every retry. */
    key: z.optional(opaqueId),
    /**
     * How long the caller waits. After this time the server aborts the handler's signal.
     * Milliseconds.
     */
    timeout_ms: z.optional(z.int().check(z.positive(), z.lte(3_600_000))),
  }),
  /** Annotates `data.input`. */
  meta: z.optional(richMeta),
});
export type RequestMessage = z.output<typeof request>;

export const requestDoc: MessageDoc<RequestMessage> = {
  sentWhen: "To call a request of the protocol. The server answers with exactly one `response`.",
  example: {
    type: "request",
    correlation_id: "5",
    data: { name: "agent.start", input: { program: "primes" }, timeout_ms: 30_000 },
  },
};
