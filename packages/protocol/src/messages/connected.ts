import * as z from "zod/mini";
import { envelope, type MessageDoc, opaqueId } from "./envelope.js";

/**
 * Ends the handshake. The client learns its session, its identity and the limits of the connection.
 */
export const connected = z.object({
  ...envelope,
  type: z.literal("connected"),
  data: z.object({
    /**
     * The id of this session. If the `auth` of a later connection names this id, the session
     * continues.
     */
    session_id: opaqueId,
    /**
     * True if this is the session that `auth` named, with the data that the application stored in
     * it.
     */
    resumed: z.optional(z.boolean()),
    /** The user that the server authenticated; absent for an anonymous client. */
    user_id: z.optional(z.string()),
    /**
     * The device: the id that the application or `auth` named, otherwise the id of the session.
     * Absent for an anonymous client.
     */
    device_id: z.optional(z.string()),
    /**
     * The protocol of the server. If the client cannot use this protocol, the client closes with
     * 4406.
     */
    protocol: z.object({
      name: z.string(),
      /** Both sides need the same major number; before 1.0.0 the same minor number. */
      version: z.string(),
      /** Changes if a schema of the protocol changes. */
      fingerprint: z.string(),
    }),
    /**
     * If the server has received nothing for about `interval_ms`, it sends a ping. A side that
     * receives nothing for `interval_ms` plus `timeout_ms` treats the other side as a dead peer and
     * closes the connection with 4408.
     */
    heartbeat: z.object({ interval_ms: z.number().check(z.positive()), timeout_ms: z.number().check(z.positive()) }),
    limits: z.object({
      /** The largest message that the server accepts. Bytes. */
      message_bytes: z.int().check(z.positive()),
      /** How many channels one connection may join. */
      subscriptions: z.int().check(z.positive()),
      /** How many requests may wait for their response at the same time. */
      requests_in_flight: z.int().check(z.positive()),
    }),
  }),
});
export type ConnectedMessage = z.output<typeof connected>;

export const connectedDoc: MessageDoc<ConnectedMessage> = {
  sentWhen: "Once, at the end of the handshake. From then on the connection accepts requests and subscriptions.",
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
