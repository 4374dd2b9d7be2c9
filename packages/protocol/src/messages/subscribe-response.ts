import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc } from "./envelope.js";
import { event } from "./event.js";
import { position, resetReason } from "./position.js";
import { stateUpdate } from "./state-update.js";
import { wireError } from "./wire-error.js";

/** The verdict on one channel. */
export const subscribeResult = z.discriminatedUnion("ok", [
  z.object({
    ok: z.literal(true),
    channel: channelName,
    /** Where the channel stands, when it keeps history. */
    position: z.optional(position),
    /** Everything missed since the position given, in order. Never a part of it. */
    missed: z.optional(z.array(z.discriminatedUnion("type", [event, stateUpdate]))),
    /** Instead of `missed`: the position given cannot be continued. */
    reset: z.optional(resetReason),
  }),
  z.object({ ok: z.literal(false), channel: channelName, error: wireError }),
]);
export type SubscribeResult = z.output<typeof subscribeResult>;

export const subscribeResponse = z.object({
  ...envelope,
  type: z.literal("subscribe_response"),
  data: z.object({
    /** True when every channel was joined. */
    success: z.boolean(),
    /** The channels joined. */
    subscribed: z.array(channelName),
    /** One result for each channel asked for, in that order. */
    results: z.array(subscribeResult),
  }),
});
export type SubscribeResponseMessage = z.output<typeof subscribeResponse>;

export const subscribeResponseDoc: MessageDoc<SubscribeResponseMessage> = {
  sentWhen: "In answer to `subscribe`, when the channels that were granted are live.",
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
