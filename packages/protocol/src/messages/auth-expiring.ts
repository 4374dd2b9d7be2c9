import * as z from "zod/mini";
import { envelope, type MessageDoc } from "./envelope.js";

export const authExpiring = z.object({
  ...envelope,
  type: z.literal("auth_expiring"),
  data: z.object({
    /** When the credential expires. Milliseconds since 1970, by the server's clock. */
    expires_at: z.number(),
  }),
});
export type AuthExpiringMessage = z.output<typeof authExpiring>;

export const authExpiringDoc: MessageDoc<AuthExpiringMessage> = {
  sentWhen:
    "About 30 s before the credential expires (a credential that lives less than 60 s: after half of its life), and every 10 s until an `auth` brings a new credential. If none arrives, the server closes the connection with 4401, 25 s after the expiry.",
  example: { type: "auth_expiring", data: { expires_at: 1_800_000_030_000 } },
};
