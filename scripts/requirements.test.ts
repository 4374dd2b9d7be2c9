import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./run.mjs";

const read = (path: string): Promise<string> => readFile(join(root, path), "utf8");

/** How many tasks each group of “Multi-device tasks” has. */
const tasks: Record<string, number> = {
  ...{ "0.1": 4, "0.2": 3, "1.1": 2, "1.2": 6, "1.3": 13, "1.4": 6, "1.5": 6, "2.1": 1, "2.2": 4, "2.3": 4, "2.4": 3 },
  ...{ "3.1": 8, "3.2": 4, "3.3": 5, "4.1": 10, "4.2": 4, "4.3": 7, "4.4": 4, "4.5": 5, "5.1": 2, "5.2": 5, "5.3": 3 },
};
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const criteria = [...upTo(7).map((item) => `A${item}`), ...upTo(7).map((item) => `T${item}`)];
const asked: Record<string, string[]> = {
  "WebSocket Setup": criteria,
  "Connection Management": criteria,
  "State synchronisation server": [
    ...upTo(6).map((item) => `S${item}`),
    ...upTo(7).map((item) => `C${item}`),
    ...upTo(4).map((item) => `P${item}`),
  ],
  "Multi-device tasks": Object.entries(tasks)
    .flatMap(([group, count]) => upTo(count).map((task) => `${group}.${task}`))
    // This one is eight.
    .flatMap((task) => (task === "1.4.3" ? [..."abcdefgh"].map((part) => task + part) : [task])),
};

test.each(Object.entries(asked))("[DO5] every item of “%s” has one answer", async (title, items) => {
  const section = (await read("docs/requirements.md")).split(`\n## ${title}\n`)[1]!.split("\n## ")[0]!;
  const rows = [...section.matchAll(/^\| *([ACPST]?\d[^|]*?) *\|[^|]*\w[^|]*\|[^|]*\w[^|]*\|$/gm)];
  expect(rows.flatMap(([, numbers]) => numbers!.split(", "))).toEqual(items);
});

test("[DO5] every behaviour that an answer names exists", async () => {
  const behaviours = new Set(
    [...(await read("docs/behaviour.md")).matchAll(/^- ([A-Z]{2}\d+) /gm)].map(([, id]) => id),
  );
  const page = await read("docs/requirements.md");
  const named = [...page.matchAll(/\b[A-Z]{2}\d+\b/g)].map(([id]) => id);
  expect(named.length).toBeGreaterThan(300);
  expect(named.filter((id) => !behaviours.has(id))).toEqual([]);
});
