import { expect, test } from "vitest";
import { observe } from "./plain-client.js";

test("[EX30] the plain Python client receives the events of agent-updates and answers pings.", async () => {
  // Without -u, Python buffers 8 KB of output.
  const { output, agentId, stats, ended } = await observe("plain.py", process.env["PYTHON"] ?? "/usr/bin/python3", [
    "-u",
  ]);
  expect(output).toContain(`'agentId': '${agentId}'`);
  expect(output).toContain("cores [");
  expect(stats.connections).toMatchObject({ active: 1, total: 1, failed: 0 });
  // The server refused no message of the client.
  expect(stats.errors).toEqual({});
  expect(ended).toBe(false);
}, 30_000);
