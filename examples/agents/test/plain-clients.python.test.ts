import { test } from "vitest";
import { expectItWorks } from "./foreign-client.js";

test("[EX30] The plain Python client receives the events of agent-updates and answers pings.", async () => {
  // -u: Python would keep what it prints for itself until there are 8 KB of it.
  await expectItWorks("plain.py", process.env["PYTHON"] ?? "/usr/bin/python3", ["-u"]);
}, 30_000);
