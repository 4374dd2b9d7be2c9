/**
 * Type-checks every tsconfig of the repository, or only the tsconfigs whose path contains an
 * argument: `npm run typecheck -- client`. The script names TypeScript 7 by its path, because
 * TypeScript 6 (a library for tsup and others) also installs a program `tsc`. The order of
 * installation decides which of the two programs is in node_modules/.bin.
 */
import { filesBelow } from "./files.mjs";
import { root, run } from "./run.mjs";
import { join } from "node:path";

const tsc = join(root, "node_modules/@typescript/native/bin/tsc");
const projects = ["tsconfig.json", ...["packages", "examples", "bench"].flatMap(filesBelow)]
  .filter((path) => /(^|\/)tsconfig[^/]*\.json$/.test(path))
  .filter((path) => process.argv.length < 3 || process.argv.slice(2).some((part) => path.includes(part)));

const count = projects.length;
/** A file can belong to several projects. Each of its errors is printed only once. */
const errors = new Set();
const worker = async () => {
  for (let project = projects.shift(); project; project = projects.shift()) {
    const { code, output } = await run(process.execPath, [tsc, "-p", project]);
    if (code !== 0) for (const line of output.split("\n")) errors.add(line);
  }
};
await Promise.all([worker(), worker()]);
if (errors.size > 0) {
  console.error([...errors].join("\n"));
  process.exitCode = 1;
} else console.log(`${count} projects`);
