import * as z from "zod/mini";
import { envelope, type MessageDoc, opaqueId } from "./envelope.js";

export const connected = z.object({
  ...envelope,
  type: z.literal("connected"),
  data: z.object({
    session_id: opaqueId,
    user_id: z.optional(z.string()),
    device_id: z.optional(z.string()),
    protocol: z.object({
      name: z.string(),
      version: z.string(),
      /** Changes whenever a schema of the protocol does. */
      fingerprint: z.string(),
    }),
    /** A ping at the latest every `interval_ms`; whoever is silent for `timeout_ms` more counts as gone. */
    heartbeat: z.object({ interval_ms: z.number().check(z.positive()), timeout_ms: z.number().check(z.positive()) }),
    limits: z.object({
      message_bytes: z.int().check(z.positive()),
      subscriptions: z.int().check(z.positive()),
      requests_in_flight: z.int().check(z.positive()),
    }),
  }),
});
export type Connected = z.output<typeof connected>;

export const connectedDoc: MessageDoc<Connected> = {
  sentWhen: "Once, when the handshake is over and the connection is open for requests and subscriptions.",
  example: {
    type: "connected",
    data: {
      session_id: "s_4fQm0cR2Vb8TzKx1Yw9u3A",
      user_id: "u1",
      protocol: { name: "agents", version: "1.0.0", fingerprint: "9d0b5f3c2a417e68" },
      heartbeat: { interval_ms: 30_000, timeout_ms: 10_000 },
      limits: { message_bytes: 65_536, subscriptions: 128, requests_in_flight: 64 },
    },
  },
};
