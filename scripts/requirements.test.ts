import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./run.mjs";

const read = (path: string): Promise<string> => readFile(join(root, path), "utf8");

/** The number of tasks in each group of “Multi-device tasks”. */
const tasks: Record<string, number> = {
  ...{ "0.1": 4, "0.2": 3, "1.1": 2, "1.2": 6, "1.3": 13, "1.4": 6, "1.5": 6, "2.1": 1, "2.2": 4, "2.3": 4, "2.4": 3 },
  ...{ "3.1": 8, "3.2": 4, "3.3": 5, "4.1": 10, "4.2": 4, "4.3": 7, "4.4": 4, "4.5": 5, "5.1": 2, "5.2": 5, "5.3": 3 },
};
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
/** `{ A: 2 }` becomes A1 and A2. */
const numbered = (groups: Record<string, number>): string[] =>
  Object.entries(groups).flatMap(([letter, count]) => upTo(count).map((item) => `${letter}${item}`));
const criteria = numbered({ A: 7, T: 7 });
/** The rows of the five documents, in the order of the page. */
const asked: Record<string, string[]> = {
  "WebSocket Setup": criteria,
  "Connection Management": criteria,
  "WebSocket Guide": numbered({
    ...{ F: 6, Q: 5, K: 12, M: 14, U: 11, S: 4, H: 2, E: 6, O: 12, P: 10, C: 3, T: 9 },
    ...{ V: 4, R: 5, D: 5, B: 6, Z: 4 },
  }),
  "Multi-device tasks": Object.entries(tasks)
    .flatMap(([group, count]) => upTo(count).map((task) => `${group}.${task}`))
    // This task has eight parts.
    .flatMap((task) => (task === "1.4.3" ? [..."abcdefgh"].map((part) => task + part) : [task])),
  "State synchronisation server": numbered({ S: 6, C: 7, P: 4, L: 6 }),
};

interface Row {
  readonly section: string;
  readonly numbers: string[];
  readonly answer: string;
}

/**
 * Reads the rows of the page's tables, without the head of each table and the line below the head.
 */
function rowsOf(page: string): Row[] {
  return page.split("\n## ").flatMap((part) => {
    const [section, ...lines] = part.split("\n");
    const cells = lines
      .filter((line) => line.startsWith("|"))
      .map((line) =>
        line
          .slice(1, -1)
          .split("|")
          .map((cell) => cell.trim()),
      );
    const rows = cells.filter(([number]) => number !== "No." && !/^-+$/.test(number!));
    return rows.map(([number, , answer]) => ({
      section: section!,
      numbers: number!.split(", "),
      answer: answer ?? "",
    }));
  });
}

/**
 * True for an answer that names a rule, a page or a command, or says that the item is out of scope
 * or missing.
 */
const isAnswer = (answer: string): boolean =>
  /\b[A-Z]{2}\d+\b|\]\([^)]+\)|`npm |docs\/[a-z]/.test(answer) || /^(Out of scope: |\*\*Missing\*\*)/.test(answer);

const rows = rowsOf(await read("docs/requirements.md"));

test.each(Object.entries(asked))("[DO5] every item of “%s” has one row", (title, items) => {
  const numbers = rows.filter(({ section }) => section === title).flatMap((row) => row.numbers);
  expect(numbers).toEqual(items);
});

test("[DO5] every row has an answer: a rule, a page, a command, or the statement that the item is missing or out of scope", () => {
  expect(rows.filter(({ answer }) => !isAnswer(answer))).toEqual([]);
  for (const answer of ["", "Yes", "**Different**", "**Partly**: some of it", "Out of scope"])
    expect(isAnswer(answer)).toBe(false);
});

test("[DO5] every link of an answer leads to an existing page and heading", async () => {
  const page = await read("docs/requirements.md");
  for (const [, target] of page.matchAll(/\]\(([^)]+)\)/g)) {
    const [path, heading] = target!.split("#");
    const whole = join(root, "docs", path!);
    const { isDirectory } = await stat(whole).then((found) => ({ isDirectory: found.isDirectory() }));
    if (isDirectory || heading === undefined) continue;
    const headings = [...(await readFile(whole, "utf8")).matchAll(/^#+ (.+)$/gm)].map(([, text]) => slug(text!));
    expect(headings).toContain(heading);
  }
});

const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, "")
    .replaceAll(" ", "-");

test("[DO6] an example and the page give the same answer to an item of a document", async () => {
  const readme = await read("examples/devices/README.md");
  const shown = [...readme.matchAll(/^\| (\d\.\d(?:\.\d)?) +\|.*\| ([A-Z0-9, ]+?) +\|$/gm)];
  expect(shown.length).toBe(14 + 1);
  for (const [, item, proofs] of shown) {
    const answers = rows.filter(
      ({ section, numbers }) =>
        section === "Multi-device tasks" && numbers.some((number) => number === item || number.startsWith(`${item!}.`)),
    );
    expect(answers.length).toBeGreaterThan(0);
    const answer = answers.map((row) => row.answer).join(" ");
    for (const proof of proofs!.split(", ")) expect(`${item!}: ${answer}`).toMatch(new RegExp(`\\b${proof}\\b`));
  }
});

test("[DO5] every rule that an answer names exists", async () => {
  const behaviours = new Set(
    [...(await read("docs/behaviour.md")).matchAll(/^- ([A-Z]{2}\d+) /gm)].map(([, id]) => id),
  );
  const page = await read("docs/requirements.md");
  const named = [...page.matchAll(/\b[A-Z]{2}\d+\b/g)].map(([id]) => id);
  expect(named.length).toBeGreaterThan(300);
  expect(named.filter((id) => !behaviours.has(id))).toEqual([]);
});
