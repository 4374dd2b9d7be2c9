import { createClient, keepPositions, presenceOf, documentOf } from "@holdfast/client";
import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod/mini";

/**
 * The application of app.ts plus every other part that a page can use: a document, presence, and
 * positions that survive a reload.
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
      history: { size: 256, ttlMs: 300_000 },
      presence: z.object({ name: z.string() }),
      document: z.object({ running: z.number() }),
    },
  },
});

const client = createClient(agents, {
  url: "/ws",
  token: () => localStorage.getItem("token") ?? "",
  positions: keepPositions(sessionStorage),
});
client.status.subscribe((status) => (document.title = status.name));
client.onError((error) => (document.title = error.message));

const updates = client.channel("agent-updates");
updates.on("statusChanged", ({ agentId, status }) => document.body.append(`${agentId} ${status}`));
updates.onReset(({ reason }) => document.body.append(reason));
const present = presenceOf(updates);
present.subscribe(({ users }) => document.body.append(`${users.length} here`));
present.set({ name: "Ada" });
documentOf(updates).subscribe((document_) => document.body.append(`${document_?.running ?? 0} running`));

document.body.onclick = async () => {
  const { startedAt } = await client.request("agent.start", { program: "primes" }, { timeoutMs: 5_000 });
  document.body.append(startedAt.toISOString());
};
