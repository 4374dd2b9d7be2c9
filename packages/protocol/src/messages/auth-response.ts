import * as z from "zod/mini";
import { envelope, type MessageDoc } from "./envelope.js";
import { wireError } from "./wire-error.js";

export const authResponse = z.object({
  ...envelope,
  type: z.literal("auth_response"),
  data: z.discriminatedUnion("success", [
    z.object({
      success: z.literal(true),
      /** The user that the token belongs to. */
      user_id: z.optional(z.string()),
      /** The device, if the client or the application named one. */
      device_id: z.optional(z.string()),
      /** When the credential expires. Milliseconds since 1970. */
      expires_at: z.optional(z.number()),
    }),
    z.object({ success: z.literal(false), error: wireError }),
  ]),
});
export type AuthResponseMessage = z.output<typeof authResponse>;

export const authResponseDoc: MessageDoc<AuthResponseMessage> = {
  sentWhen: "In answer to an `auth`. If the credential was refused, the server then closes the connection with 4401.",
  example: { type: "auth_response", correlation_id: "1", data: { success: true, user_id: "u1" } },
};
