import * as z from "zod/mini";
import { envelope, type MessageDoc } from "./envelope.js";

export const ping = z.object({ ...envelope, type: z.literal("ping") });
export type Ping = z.output<typeof ping>;

export const pingDoc: MessageDoc<Ping> = {
  sentWhen: "By either side, to learn whether the other is still there.",
  example: { type: "ping" },
};
