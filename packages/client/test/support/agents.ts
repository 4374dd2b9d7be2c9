import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod/mini";

/** The protocol of the client's tests, with one declaration of each kind. */
export const agents = defineProtocol({
  name: "agents",
  version: "1.0.0",
  requests: {
    "agent.start": {
      input: z.object({ program: z.string() }),
      output: z.object({ id: z.string(), startedAt: z.date() }),
      errors: { UNKNOWN_PROGRAM: z.object({ known: z.array(z.string()), since: z.date() }) },
    },
    "agent.rename": { kind: "mutation", input: z.object({ name: z.string() }) },
    "agents.list": { kind: "query", output: z.array(z.string()) },
    "agents.find": { kind: "query", input: z.optional(z.string()), output: z.array(z.string()) },
  },
  channels: {
    "agent-updates": {
      events: { statusChanged: z.object({ agentId: z.string(), at: z.optional(z.date()) }), removed: z.string() },
    },
    board: { key: z.string().check(z.minLength(1)), events: { moved: z.number() } },
    journal: { events: { written: z.number() }, history: { size: 16, ttlMs: 60_000 } },
  },
});
