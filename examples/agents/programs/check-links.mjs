import { access, readFile } from "node:fs/promises";
import { dirname, extname, relative, resolve } from "node:path";
import { count, files, pace } from "./work.mjs";

/**
 * Follows the links between Markdown files, dependencies included. If a link is broken, the exit
 * code is 1.
 */

const LINK = /\[[^\]]*\]\(([^)\s#]+)[^)]*\)/g;
const root = process.cwd();
let checked = 0;
let broken = 0;

const breathe = pace({
  busyMs: 60,
  restMs: 400,
  report: () => console.log(`${count(checked)} links followed, ${count(broken)} are broken`),
});

for await (const path of files(root)) {
  if (extname(path) !== ".md") continue;
  const text = await readFile(path, "utf8").catch(() => "");
  for (const [, target] of text.matchAll(LINK)) {
    if (/^[a-z][a-z+.-]*:|^\/|^</i.test(target)) continue;
    checked++;
    const exists = await access(resolve(dirname(path), safeDecode(target))).then(
      () => true,
      () => false,
    );
    if (exists) continue;
    broken++;
    console.error(`${relative(root, path)}: ${target} is broken`);
  }
  await breathe();
}

console.log(`Done: ${count(checked)} links, ${count(broken)} are broken.`);
process.exitCode = broken > 0 ? 1 : 0;

function safeDecode(target) {
  try {
    return decodeURI(target);
  } catch {
    return target;
  }
}
