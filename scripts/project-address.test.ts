import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectedFiles, manifestAt, readmeAt } from "./project-address.mjs";
import { packages, root } from "./run.mjs";

const read = (path: string): string => readFileSync(join(root, path), "utf8");
const { homepage } = JSON.parse(read("package.json")) as { homepage: string };

test.each(expectedFiles())("[DO7] $path has the address of the root package.json", ({ path, text }) => {
  expect(read(path), "run: node scripts/project-address.mjs").toBe(text);
});

test("[DO7] `manifestAt` adds the page, the issue tracker and the folder of the package to a manifest", () => {
  const manifest = { name: "@holdfast/a", bugs: "old", license: "MIT", type: "module" };
  expect(Object.entries(manifestAt(manifest, "packages/a", "https://example.com/us/it"))).toEqual([
    ["name", "@holdfast/a"],
    ["homepage", "https://example.com/us/it/tree/main/packages/a#readme"],
    ["bugs", { url: "https://example.com/us/it/issues" }],
    ["repository", { type: "git", url: "git+https://example.com/us/it.git", directory: "packages/a" }],
    ["license", "MIT"],
    ["type", "module"],
  ]);
});

test.each([
  ["a relative link", "[a](../../docs/state.md#top)", "[a](https://new.example/us/it/blob/main/docs/state.md#top)"],
  ["a file of the package", "[a](LICENSE)", "[a](https://new.example/us/it/blob/main/packages/a/LICENSE)"],
  [
    "a link to the former address",
    "[a](https://old.example/we/it/blob/main/docs/state.md)",
    "[a](https://new.example/us/it/blob/main/docs/state.md)",
  ],
  ["a place on the page", "[a](#install)", "[a](#install)"],
  ["another site", "[a](https://zod.dev/api)", "[a](https://zod.dev/api)"],
])("[DO7] `readmeAt` gives %s in a README the expected address", (_name, before, after) => {
  expect(readmeAt(before, "packages/a", "https://new.example/us/it")).toBe(after);
});

describe.each(packages)("The README of %s", (name) => {
  const targets = [...read(`packages/${name}/README.md`).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);

  test("[DO7] the README links only to existing files, and by absolute urls", () => {
    const prefix = `${homepage}/blob/main/`;
    expect(targets.length).toBeGreaterThan(2);
    for (const target of targets) expect(target).toMatch(/^(#|https:\/\/)/);
    for (const target of targets.filter((each) => each.startsWith(prefix)))
      expect(existsSync(join(root, target.slice(prefix.length).split("#")[0]!)), target).toBe(true);
  });
});
