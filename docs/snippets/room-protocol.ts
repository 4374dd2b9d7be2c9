import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod";

export const rooms = defineProtocol({
  name: "rooms",
  version: "1.0.0",
  channels: {
    room: {
      key: z.string(),
      // The data that the members of a room see of a user.
      presence: z.object({ name: z.string().default(""), typing: z.boolean().default(false) }),
    },
  },
  direct: {
    "call.ringing": z.object({ from: z.string() }),
    "call.ended": z.object({ from: z.string() }),
  },
});
