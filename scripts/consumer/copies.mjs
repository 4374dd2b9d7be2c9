/**
 * Loads both builds of the packages in one process. This happens in an application if a dependency
 * is CommonJS.
 */
import { createRequire } from "node:module";
import * as esmProtocol from "@holdfast/protocol";
import * as esmClient from "@holdfast/client";
import * as esmServer from "@holdfast/server";
import { z } from "zod";

const require = createRequire(import.meta.url);
const esm = { ...esmProtocol, ...esmClient, ...esmServer };
const cjs = { ...require("@holdfast/protocol"), ...require("@holdfast/client"), ...require("@holdfast/server") };

function check(condition, message) {
  if (!condition) throw new Error(message);
}

check(esm.HoldfastError !== cjs.HoldfastError, "both builds are the same copy, so this check proves nothing");
const at = new Date(86_400_000);

for (const [ours, theirs] of [
  [esm, cjs],
  [cjs, esm],
]) {
  check(
    ours.isHoldfastError(new theirs.HoldfastError("TIMEOUT", "late")),
    "an error of the other copy is not recognised",
  );
  const agents = theirs.defineProtocol({
    name: "agents",
    version: "1.0.0",
    requests: {
      "agent.start": {
        input: z.object({ at: z.date() }),
        output: z.map(z.string(), z.date()),
        errors: { LATE: z.date() },
      },
    },
  });
  check(ours.isProtocol(agents), "a protocol of the other copy is not recognised");

  const server = ours.createServer(agents);
  server.handle("agent.start", ({ input, error }) => {
    if (input.at.getTime() === 0) throw error("LATE", at);
    return new Map([["startedAt", input.at]]);
  });
  const { url } = await server.listen(0);
  const client = theirs.createClient(agents, { url });
  const answer = await client.request("agent.start", { at });
  check(answer.get("startedAt").getTime() === at.getTime(), "the answer did not arrive");
  const refusal = await client.request("agent.start", { at: new Date(0) }).catch((error) => error);
  check(ours.isDeclaredError(agents, "agent.start", refusal), `the declared error arrived as ${refusal.code}`);
  check(refusal.data.getTime() === at.getTime(), "the data of the declared error did not arrive");
  client.disconnect();
  await server.close();
}
console.log("DONE");
