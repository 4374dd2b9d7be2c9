import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc } from "./envelope.js";
import { event } from "./event.js";
import { position, resetReason } from "./position.js";
import { stateUpdate } from "./state-update.js";
import { wireError } from "./wire-error.js";

/** The result for one channel. */
export const subscribeResult = z.discriminatedUnion("ok", [
  z.object({
    ok: z.literal(true),
    channel: channelName,
    /** The current position of the channel, if it has a history. */
    position: z.optional(position),
    /** Every event and update after the requested position, in order and without gaps. */
    missed: z.optional(z.array(z.discriminatedUnion("type", [event, stateUpdate]))),
    /** Present instead of `missed` if the requested position cannot be continued. */
    reset: z.optional(resetReason),
  }),
  z.object({ ok: z.literal(false), channel: channelName, error: wireError }),
]);
export type SubscribeResult = z.output<typeof subscribeResult>;

/**
 * Answers a `subscribe`, in one message or in several parts. Each result says whether the client
 * has joined the channel. If the client sent a position, the result also replays the missed events
 * or gives the reason for a reset.
 */
export const subscribeResponse = z.object({
  ...envelope,
  type: z.literal("subscribe_response"),
  data: z.object({
    /** True if every channel in `results` was joined. */
    success: z.boolean(),
    /** The channels that were joined. */
    subscribed: z.array(channelName),
    /**
     * One result for each requested channel in this part. The parts follow the order of the
     * request.
     */
    results: z.array(subscribeResult),
  }),
});
export type SubscribeResponseMessage = z.output<typeof subscribeResponse>;

export const subscribeResponseDoc: MessageDoc<SubscribeResponseMessage> = {
  sentWhen:
    "In answer to `subscribe`, when the client has joined the granted channels. A large answer is sent in several parts.",
  example: {
    type: "subscribe_response",
    correlation_id: "2",
    data: {
      success: false,
      subscribed: ["metrics"],
      results: [
        { ok: true, channel: "metrics" },
        {
          ok: false,
          channel: "agent-updates",
          error: {
            code: "FORBIDDEN",
            message: "You may not read agent-updates.",
            remedy: "Ask for access, or leave the channel out.",
          },
        },
      ],
    },
  },
};
