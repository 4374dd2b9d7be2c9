import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { codeLines, snippetsOf } from "@holdfast/example-kit/testing/readme";
import { expect, test } from "vitest";
import { sessionSync } from "../src/protocol.js";

const read = (path: string) => readFile(fileURLToPath(new URL(`../${path}`, import.meta.url)), "utf8");
const readme = await read("README.md");

test("[SX17] the README's snippet is lines of the sources, and the README names every channel and request", async () => {
  const snippets = snippetsOf(readme);
  expect(snippets).toHaveLength(1);
  expect(codeLines(await read("src/handlers.ts"))).toContain(snippets[0]);
  const names = [...sessionSync.requests.keys(), ...sessionSync.channels.keys()];
  expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
});

test("[SX17] every file that the README names exists, and the README cites only rule ids that a test covers", async () => {
  for (const [, path = ""] of readme.matchAll(/\]\((src\/[^)]+)\)/g)) await read(path);
  for (const [, path = ""] of readme.matchAll(/`(test\/[^`]+)`/g)) await read(path);
  const files = ["server", "main", "timing", "instances.redis", "pages.redis.chromium"];
  const tests = (await Promise.all(files.map((name) => read(`test/${name}.test.ts`)))).join("\n");
  const table = readme.slice(readme.indexOf("| Testing checklist"));
  const cited = new Set([...table.matchAll(/SX\d+/g)].map(([id]) => id));
  expect([...cited].filter((id) => !tests.includes(`[${id}] `))).toEqual([]);
});
