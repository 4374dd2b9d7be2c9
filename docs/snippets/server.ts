import { createServer } from "@holdfast/server";
import { agents } from "./protocol.js";

export const server = createServer(agents, {
  authenticate: ({ token }) => {
    if (token !== "abc123") throw new Error("unknown token");
    return { userId: "ada" };
  },
});

server.handle("agent.start", async ({ input, error }) => {
  if (input.program !== "primes") throw error("UNKNOWN_PROGRAM", { program: input.program });
  await server.channel("agent-updates").publish("statusChanged", { id: "a1", status: "running" });
  return { id: "a1", startedAt: new Date() };
});

const { url } = await server.listen(3000);
console.log(`Listening at ${url}`);
