import * as z from "zod/mini";
import { envelope, type MessageDoc, opaqueId } from "./envelope.js";

export const auth = z.object({
  ...envelope,
  type: z.literal("auth"),
  data: z.object({
    /**
     * The credential: a JWT, an API key. What it means is the application's business. Left out
     * where the upgrade request carried one (a cookie, a header), or where none is needed.
     */
    token: z.optional(z.string().check(z.minLength(1), z.maxLength(16_384))),
    /**
     * Names the device; a newer connection of the same device replaces the older one. Left out, the
     * session is the device.
     */
    device_id: z.optional(opaqueId),
    /** The session to continue. It confers no authority: the credential decides. */
    session_id: z.optional(opaqueId),
  }),
});
export type AuthMessage = z.output<typeof auth>;

export const authDoc: MessageDoc<AuthMessage> = {
  sentWhen:
    "First on a new connection, unless its upgrade request carried the credential and says all; again on a live one to refresh the token.",
  example: { type: "auth", correlation_id: "1", data: { token: "eyJhbGciOiJFZERTQSJ9…", device_id: "kitchen-tablet" } },
};
