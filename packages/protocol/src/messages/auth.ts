import * as z from "zod/mini";
import { envelope, type MessageDoc, opaqueId } from "./envelope.js";

/**
 * Authenticates the connection and says which session and device the client continues. On an open
 * connection, a further `auth` replaces the credential.
 */
export const auth = z.object({
  ...envelope,
  type: z.literal("auth"),
  data: z.object({
    /**
     * The credential, such as a JWT or an API key; only the application interprets it. Left out if
     * the upgrade request carried the credential (a cookie, a header), or if the server requires no
     * credential.
     */
    token: z.optional(z.string().check(z.minLength(1), z.maxLength(16_384))),
    /**
     * The id of the device. A newer connection of the same device replaces the older one. If
     * absent, the session counts as the device.
     */
    device_id: z.optional(opaqueId),
    /** The session to continue. The id grants nothing by itself: the credential decides. */
    session_id: z.optional(opaqueId),
  }),
});
export type AuthMessage = z.output<typeof auth>;

export const authDoc: MessageDoc<AuthMessage> = {
  sentWhen:
    "As the first message of a new connection, unless the upgrade request carried everything that the server needs; and again on an open connection to replace the credential.",
  example: { type: "auth", correlation_id: "1", data: { token: "eyJhbGciOiJFZERTQSJ9…", device_id: "kitchen-tablet" } },
};
