import * as z from "zod/mini";
import { channelName, envelope, type MessageDoc } from "./envelope.js";
import { wireError } from "./wire-error.js";

export const error = z.object({
  ...envelope,
  type: z.literal("error"),
  channel: z.optional(channelName),
  data: wireError,
});
export type ErrorMessage = z.output<typeof error>;

export const errorDoc: MessageDoc<ErrorMessage> = {
  sentWhen:
    "When the server refuses a message for which no other answer fits. For example, the message cannot be read, has an unknown type, or exceeds a limit.",
  example: {
    type: "error",
    data: {
      code: "BAD_MESSAGE",
      message: "data.channels: expected array, received string.",
      field: "data.channels",
      remedy: "Send a message that matches the protocol reference.",
    },
  },
};
