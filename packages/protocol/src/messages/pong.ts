import * as z from "zod/mini";
import { envelope, type MessageDoc } from "./envelope.js";

export const pong = z.object({ ...envelope, type: z.literal("pong") });
export type PongMessage = z.output<typeof pong>;

export const pongDoc: MessageDoc<PongMessage> = {
  sentWhen: "At once, in answer to a `ping`. If the ping had a correlation id, the `pong` repeats that id.",
  example: { type: "pong" },
};
