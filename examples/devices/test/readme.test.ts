import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { codeLines, snippetsOf } from "@holdfast/example-kit/testing/readme";
import { expect, test } from "vitest";
import { devices } from "../src/protocol.js";

const read = (path: string) => readFile(fileURLToPath(new URL(`../${path}`, import.meta.url)), "utf8");
const readme = await read("README.md");

test("[DX20] the README's snippets are lines of the sources", async () => {
  const snippets = snippetsOf(readme);
  const sources = await Promise.all(["src/realtime.ts", "src/steering.ts"].map(read));
  expect(snippets).toHaveLength(2);
  // The README omits the comments between the lines.
  const code = sources.map((source) => codeLines(source.replace(/^ *\/\/.*\n/gm, ""))).join("\n");
  for (const snippet of snippets) expect(code).toContain(snippet);
});

test("[DX20] the README names every channel, event and request of the protocol, and every file that the README names exists", async () => {
  const { requests, channels, direct } = devices;
  const events = [...channels.values()].flatMap((channel) => [...channel.events.keys()]);
  const names = [...requests.keys(), ...channels.keys(), ...direct.keys(), ...events];
  expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  for (const [, path = ""] of readme.matchAll(/\]\((src\/[^)]+)\)/g)) await read(path);
});

test("[DX20] the README cites only rule ids that a test covers", async () => {
  const files = ["server", "http", "main", "devices.chromium"].map((name) => `test/${name}.test.ts`);
  const tests = (await Promise.all([...files, "src/session-store.test.ts"].map(read))).join("\n");
  const table = readme.slice(readme.indexOf("| Item "));
  const cited = new Set([...table.matchAll(/DX\d+/g)].map(([id]) => id));
  expect([...cited].filter((id) => !tests.includes(`[${id}] `))).toEqual([]);
});
