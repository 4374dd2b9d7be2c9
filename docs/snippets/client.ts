import { createClient, isDeclaredError } from "@holdfast/client";
import { agents } from "./protocol.js";

export const client = createClient(agents, { url: "ws://localhost:3000/ws", token: () => "abc123" });

client.status.subscribe((status) => console.log(status.name));
const updates = client.channel("agent-updates");
updates.on("statusChanged", ({ id, status }) => console.log(`${id} is ${status}`));
await updates.join();

try {
  const { startedAt } = await client.request("agent.start", { program: "primes" }, { timeoutMs: 5_000 });
  console.log(`started at ${startedAt.toISOString()}`);
} catch (error) {
  if (isDeclaredError(agents, "agent.start", error)) console.log(`no program ${error.data.program}`);
  else throw error;
}
