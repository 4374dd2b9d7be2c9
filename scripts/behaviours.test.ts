import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { filesBelow } from "./files.mjs";
import { root } from "./run.mjs";

test("[DO3] every rule is cited by a test, and every cited id is a rule", async () => {
  const page = await readFile(join(root, "docs/behaviour.md"), "utf8");
  const promised = [...page.matchAll(/^- ([A-Z]{2}\d+) /gm)].map(([, id]) => id!);
  expect(new Set(promised).size).toBe(promised.length);

  const cited = new Set<string>();
  for (const folder of ["packages", "examples", "scripts"]) {
    for (const file of filesBelow(folder)) {
      // The files of a contract folder contain tests that other test files call.
      if (!/(\.test|\.test-d|-contract|\/contract\/[^/]+)\.ts$/.test(file)) continue;
      const text = await readFile(join(root, file), "utf8");
      for (const [, id] of text.matchAll(/["'`]\[([A-Z]{2}\d+)\]/g)) cited.add(id!);
      // In a table of cases, each row may carry its own ids.
      for (const [, id] of text.matchAll(/\[([A-Z]{2}\d+)\] /g)) cited.add(id!);
    }
  }
  expect(promised.filter((id) => !cited.has(id))).toEqual([]);
  expect([...cited].filter((id) => !promised.includes(id))).toEqual([]);
});
