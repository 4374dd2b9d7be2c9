/**
 * Type-checks every tsconfig of the repository, or those whose path contains an argument: `npm run
 * typecheck -- client`. TypeScript 7 is named by its path: TypeScript 6, which tsup and others need
 * as a library, also brings a program `tsc`, and which of the two lands in node_modules/.bin
 * depends on the order npm installs them in.
 */
import { filesBelow } from "./files.mjs";
import { root, run } from "./run.mjs";
import { join } from "node:path";

const tsc = join(root, "node_modules/@typescript/native/bin/tsc");
const projects = ["tsconfig.json", ...["packages", "examples", "bench"].flatMap(filesBelow)]
  .filter((path) => /(^|\/)tsconfig[^/]*\.json$/.test(path))
  .filter((path) => process.argv.length < 3 || process.argv.slice(2).some((part) => path.includes(part)));

const count = projects.length;
/** A file belongs to several projects; its errors are shown once. */
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
