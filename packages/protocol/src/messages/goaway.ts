import * as z from "zod/mini";
import { envelope, type MessageDoc } from "./envelope.js";

export const goaway = z.object({
  ...envelope,
  type: z.literal("goaway"),
  data: z.object({
    /** Why, in a word. */
    reason: z.string(),
    /**
     * How long this client should wait before it comes back, different for each so that they do not
     * all come at once. Milliseconds.
     */
    delay_ms: z.number().check(z.nonnegative()),
  }),
});
export type GoawayMessage = z.output<typeof goaway>;

export const goawayDoc: MessageDoc<GoawayMessage> = {
  sentWhen: "When this instance is about to leave: reconnect after `delay_ms`.",
  example: { type: "goaway", data: { reason: "restart", delay_ms: 3_200 } },
};
