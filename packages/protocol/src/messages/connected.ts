import * as z from "zod/mini";
import { envelope, type MessageDoc, opaqueId } from "./envelope.js";

export const connected = z.object({
  ...envelope,
  type: z.literal("connected"),
  data: z.object({
    /** Names this session, also after a reconnect that sent it in `auth`. */
    session_id: opaqueId,
    /** True when it is the session that `auth` named, with what the application keeps in it. */
    resumed: z.optional(z.boolean()),
    /** Who the server takes the client for; absent when it is anonymous. */
    user_id: z.optional(z.string()),
    /** The user's device: what the application or `auth` named, or else the session's id. */
    device_id: z.optional(z.string()),
    /** What the server speaks. The client closes with 4406 when it does not. */
    protocol: z.object({
      name: z.string(),
      /** Same major number on both sides, before 1.0.0 the same minor one. */
      version: z.string(),
      /** Changes whenever a schema of the protocol does. */
      fingerprint: z.string(),
    }),
    /**
     * A ping at the latest every `interval_ms`; whoever is silent for `timeout_ms` more counts as
     * gone.
     */
    heartbeat: z.object({ interval_ms: z.number().check(z.positive()), timeout_ms: z.number().check(z.positive()) }),
    limits: z.object({
      /** The largest message the server accepts. */
      message_bytes: z.int().check(z.positive()),
      /** How many channels one connection may have joined. */
      subscriptions: z.int().check(z.positive()),
      /** How many requests may wait for their response. */
      requests_in_flight: z.int().check(z.positive()),
    }),
  }),
});
export type ConnectedMessage = z.output<typeof connected>;

export const connectedDoc: MessageDoc<ConnectedMessage> = {
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
