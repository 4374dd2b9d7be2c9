import { createClient } from "@holdfast/client";
import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod/mini";

/**
 * The small browser application that size.mjs measures: a definition with a request and a channel,
 * a rich value (which needs superjson), and the calls of a typical page.
 */
const agents = defineProtocol({
  name: "agents",
  version: "1.0.0",
  requests: {
    "agent.start": { input: z.object({ program: z.string() }), output: z.object({ startedAt: z.date() }) },
  },
  channels: {
    "agent-updates": {
      events: { statusChanged: z.object({ agentId: z.string(), status: z.enum(["idle", "running"]) }) },
    },
  },
});

const client = createClient(agents, { url: "/ws", token: () => localStorage.getItem("token") ?? "" });
client.status.subscribe((status) => (document.title = status.name));
client.onError((error) => (document.title = error.message));

const updates = client.channel("agent-updates");
updates.on("statusChanged", ({ agentId, status }) => document.body.append(`${agentId} ${status}`));

document.body.onclick = async () => {
  const { startedAt } = await client.request("agent.start", { program: "primes" }, { timeoutMs: 5_000 });
  document.body.append(startedAt.toISOString());
};
