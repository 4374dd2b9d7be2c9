import * as z from "zod/mini";
import { envelope, type MessageDoc } from "./envelope.js";

/** Announces that this instance shuts down, before the server closes the connection. */
export const goaway = z.object({
  ...envelope,
  type: z.literal("goaway"),
  data: z.object({
    /** The reason, in one word. */
    reason: z.string(),
    /**
     * How long this client waits before reconnecting. Each client gets a different delay, so that
     * the clients do not all reconnect at once. Milliseconds.
     */
    delay_ms: z.number().check(z.nonnegative()),
  }),
});
export type GoawayMessage = z.output<typeof goaway>;

export const goawayDoc: MessageDoc<GoawayMessage> = {
  sentWhen: "When this instance is about to shut down. The client reconnects after `delay_ms`.",
  example: { type: "goaway", data: { reason: "restart", delay_ms: 3_200 } },
};
