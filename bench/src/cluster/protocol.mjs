import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod";

export const numbers = defineProtocol({
  name: "numbers",
  version: "1.0.0",
  channels: { feed: { key: z.string(), events: { number: z.int() }, history: { size: 256, ttlMs: 300_000 } } },
});
