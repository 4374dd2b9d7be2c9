import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { bytes, count, files, pace } from "./work.mjs";

/** Hashes every file of the project, dependencies included, and finds identical files. */

const { values } = parseArgs({ options: { algorithm: { type: "string", default: "sha256" } } });
const root = process.cwd();
const BIGGEST_BYTES = 8_000_000;

let hashed = 0;
let size = 0;
let doubles = 0;
let latest = "";
const seen = new Set();

const breathe = pace({
  busyMs: 70,
  restMs: 230,
  report: () => console.log(`${latest}  (${count(hashed)} files, ${bytes(size)}, ${count(doubles)} duplicates)`),
});

for await (const path of files(root)) {
  let content;
  try {
    content = await readFile(path);
  } catch (error) {
    console.error(`${relative(root, path)}: ${error.code}`);
    continue;
  }
  if (content.byteLength > BIGGEST_BYTES) continue;
  const digest = createHash(values.algorithm).update(content).digest("hex");
  hashed++;
  size += content.byteLength;
  if (seen.has(digest)) doubles++;
  seen.add(digest);
  latest = `${digest.slice(0, 12)}  ${relative(root, path)}`;
  await breathe();
}
console.log(`Done: ${count(hashed)} files, ${bytes(size)}, ${count(doubles)} are duplicates.`);
