import { defineProtocol } from "@holdfast/protocol";
import { z } from "zod";

/**
 * The input of `npx holdfast docs` in the consumer check. This protocol imports zod as most
 * applications do.
 */
export const agents = defineProtocol({
  name: "agents",
  version: "1.0.0",
  requests: {
    "agent.start": { input: z.object({ program: z.string() }), output: z.object({ startedAt: z.date() }) },
  },
  channels: {
    "agent-updates": { events: { changed: z.object({ at: z.date(), figures: z.map(z.string(), z.number()) }) } },
  },
});
