import * as z from "zod/mini";
import { envelope, type MessageDoc } from "./envelope.js";

export const ping = z.object({ ...envelope, type: z.literal("ping") });
export type PingMessage = z.output<typeof ping>;

export const pingDoc: MessageDoc<PingMessage> = {
  sentWhen: "By either side, to check that the other side still responds.",
  example: { type: "ping" },
};
