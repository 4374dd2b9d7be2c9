import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod";

const headline = z.object({ id: z.string(), text: z.string() });

export const news = defineProtocol({
  name: "news",
  version: "1.0.0",
  requests: {
    "headline.add": { input: headline, output: z.object({ isNew: z.boolean() }) },
  },
  channels: {
    // A client that was away for at most five minutes and 256 headlines misses no headline.
    headlines: { events: { added: headline }, history: { size: 256, ttlMs: 300_000 } },
  },
});
