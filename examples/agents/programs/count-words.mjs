import { readFile } from "node:fs/promises";
import { extname, relative } from "node:path";
import { count, files, ownSources, pace } from "./work.mjs";

/** Counts the lines and words of the project's own text files and prints a table by kind. */

const KINDS = new Set([".ts", ".js", ".mjs", ".md", ".json", ".css", ".html", ".yml", ".py"]);
const root = process.cwd();
const totals = new Map();

// Slowed down on purpose, because a program that ends at once shows nothing.
const breathe = pace({ busyMs: 1, restMs: 120 });

for await (const path of files(root, ownSources)) {
  const kind = extname(path);
  if (!KINDS.has(kind)) continue;
  const text = await readFile(path, "utf8").catch(() => "");
  const lines = text.split("\n").length;
  const words = text.split(/\s+/).filter(Boolean).length;
  const total = totals.get(kind) ?? { files: 0, lines: 0, words: 0 };
  totals.set(kind, { files: total.files + 1, lines: total.lines + lines, words: total.words + words });
  console.log(`${count(lines).padStart(6)} lines ${count(words).padStart(7)} words  ${relative(root, path)}`);
  await breathe();
}

for (const [kind, total] of [...totals].sort(([, a], [, b]) => b.lines - a.lines)) {
  console.log(
    `${kind.padEnd(6)} ${count(total.files).padStart(6)} files ${count(total.lines).padStart(9)} lines ${count(total.words).padStart(9)} words`,
  );
}
