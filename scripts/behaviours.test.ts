import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { filesBelow } from "./files.mjs";
import { root } from "./run.mjs";

test("[DO3] every behaviour has a test, and every test that names one names one that exists", async () => {
  const page = await readFile(join(root, "docs/behaviour.md"), "utf8");
  const promised = [...page.matchAll(/^- ([A-Z]{2}\d+) /gm)].map(([, id]) => id!);
  expect(new Set(promised).size).toBe(promised.length);

  const cited = new Set<string>();
  for (const folder of ["packages", "examples", "scripts"]) {
    for (const file of filesBelow(folder)) {
      // A contract is tests that files of tests call.
      if (!/(\.test|\.test-d|-contract)\.ts$/.test(file)) continue;
      const text = await readFile(join(root, file), "utf8");
      for (const [, id] of text.matchAll(/["'`]\[([A-Z]{2}\d+)\]/g)) cited.add(id!);
      // A table of cases may carry the numbers of its rows.
      for (const [, id] of text.matchAll(/\[([A-Z]{2}\d+)\] /g)) cited.add(id!);
    }
  }
  expect(promised.filter((id) => !cited.has(id))).toEqual([]);
  expect([...cited].filter((id) => !promised.includes(id))).toEqual([]);
});
