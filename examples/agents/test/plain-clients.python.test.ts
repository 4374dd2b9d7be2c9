import { expect, test } from "vitest";
import { observe } from "./plain-client.js";

test("[EX30] the plain Python client receives the events of agent-updates and answers pings.", async () => {
  // -u, because Python otherwise buffers 8 KB of output before it writes.
  const { output, agentId, stats, ended } = await observe("plain.py", process.env["PYTHON"] ?? "/usr/bin/python3", [
    "-u",
  ]);
  expect(output).toContain(`'agentId': '${agentId}'`);
  expect(output).toContain("cores [");
  expect(stats.connections).toMatchObject({ active: 1, total: 1, failed: 0 });
  // The server refused none of its messages.
  expect(stats.errors).toEqual({});
  expect(ended).toBe(false);
}, 30_000);
