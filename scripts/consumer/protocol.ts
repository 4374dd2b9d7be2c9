import { defineProtocol } from "@holdfast/protocol";
import { z } from "zod";

/** What `npx holdfast docs` is given in the consumer check: zod as most applications import it. */
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
