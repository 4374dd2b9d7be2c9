import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod";

export const agents = defineProtocol({
  name: "agents",
  version: "1.0.0",
  requests: {
    "agent.start": {
      input: z.object({ program: z.string() }),
      output: z.object({ id: z.string(), startedAt: z.date() }),
      errors: { UNKNOWN_PROGRAM: z.object({ program: z.string() }) },
    },
  },
  channels: {
    "agent-updates": { events: { statusChanged: z.object({ id: z.string(), status: z.enum(["idle", "running"]) }) } },
  },
});
