import * as z from "zod/mini";
import { envelope, type MessageDoc } from "./envelope.js";

export const pong = z.object({ ...envelope, type: z.literal("pong") });
export type PongMessage = z.output<typeof pong>;

export const pongDoc: MessageDoc<PongMessage> = {
  sentWhen: "At once, in answer to a `ping`; it repeats the ping's correlation id if there was one.",
  example: { type: "pong" },
};
