import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod/mini";

const message = z.object({ id: z.string(), text: z.string(), sentAt: z.date() });
export type Message = z.output<typeof message>;

export const chat = defineProtocol({
  name: "chat",
  version: "1.0.0",
  requests: {
    // A read may be sent again after a reconnect.
    "message.list": { kind: "query", output: z.array(message) },
    "message.send": { input: z.object({ text: z.string().check(z.minLength(1), z.maxLength(500)) }) },
  },
  channels: {
    // A page that was offline for less than ten minutes receives the messages that it missed.
    messages: { events: { added: message }, history: { size: 100, ttlMs: 600_000 } },
  },
});
