// The application of the consumer check under Jest with its default configuration: CommonJS, no
// transforms, a separate global object. This file is not a test of this repository:
// consumer-check.mjs copies the file into the folder in which the packed packages are installed.
const { createClient } = require("@holdfast/client");
const { defineProtocol, isHoldfastError } = require("@holdfast/protocol");
const { createServer } = require("@holdfast/server");
const { z } = require("zod");

test.each(JSON.parse(process.env.ENTRIES))("%s loads", (entry) => {
  expect(Object.keys(require(entry)).length).toBeGreaterThan(0);
});

test("a client and a server exchange messages with dates and maps", async () => {
  const agents = defineProtocol({
    name: "agents",
    version: "1.0.0",
    requests: { "agent.start": { input: z.object({ at: z.date() }), output: z.map(z.string(), z.date()) } },
  });
  const server = createServer(agents);
  server.handle("agent.start", ({ input }) => {
    if (input.at.getTime() === 0) throw new Error("too early");
    return new Map([["startedAt", input.at]]);
  });
  const { url } = await server.listen(0);
  const client = createClient(agents, { url });

  const at = new Date(86_400_000);
  expect(await client.request("agent.start", { at })).toEqual(new Map([["startedAt", at]]));
  const refusal = await client.request("agent.start", { at: new Date(0) }).catch((error) => error);
  expect(isHoldfastError(refusal)).toBe(true);
  await expect(client.request("agent.start", { at: "today" })).rejects.toMatchObject({ field: "input.at" });

  client.disconnect();
  await server.close();
});
