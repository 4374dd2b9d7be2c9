import * as z from "zod/mini";
import { envelope, type MessageDoc, opaqueId } from "./envelope.js";

export const auth = z.object({
  ...envelope,
  type: z.literal("auth"),
  data: z.object({
    /** The credential: a JWT, an API key, a one-time ticket. What it means is the application's business. */
    token: z.string().check(z.minLength(1), z.maxLength(16_384)),
    /** Names the device, where the application knows it. */
    device_id: z.optional(opaqueId),
    /** The session to continue. It confers no authority: the token decides. */
    session_id: z.optional(opaqueId),
  }),
});
export type Auth = z.output<typeof auth>;

export const authDoc: MessageDoc<Auth> = {
  sentWhen: "First on a new connection that has no credential yet; again on a live one to refresh the token.",
  example: { type: "auth", correlation_id: "1", data: { token: "eyJhbGciOiJFZERTQSJ9…", device_id: "kitchen-tablet" } },
};
