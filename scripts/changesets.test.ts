import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packages, root } from "./run.mjs";

interface Changeset {
  readonly releases: readonly { readonly name: string; readonly type: string }[];
  readonly summary: string;
}
// `changeset version` reads files with this parser. The parser is a dependency of
// `@changesets/cli`, so this test resolves the parser from that package.
const ofCommandLine = createRequire(createRequire(import.meta.url).resolve("@changesets/cli/package.json"));
const { default: parse } = ofCommandLine("@changesets/parse") as { default: (text: string) => Changeset };

const read = (path: string): string => readFileSync(join(root, path), "utf8");
const published = packages.map((name) => {
  const { name: fullName } = JSON.parse(read(`packages/${name}/package.json`)) as { name: string };
  return fullName;
});

/**
 * Returns the reason why a release cannot use the changeset; undefined if the changeset is valid.
 */
function faultOf(text: string): string | undefined {
  let changeset: Changeset;
  try {
    changeset = parse(text);
  } catch (error) {
    return (error as Error).message.split("\n")[0];
  }
  const { releases, summary } = changeset;
  if (releases.length === 0) return "names no package";
  const stranger = releases.find(({ name }) => !published.includes(name));
  if (stranger) return `${stranger.name} is not published`;
  if (releases.some(({ type }) => type === "none")) return "releases nothing";
  return summary === "" ? "has no text" : undefined;
}

const header = '---\n"@holdfast/server": minor\n---\n';

test.each([
  ["without a header", "---\n\nIt is faster.\n", /invalid frontmatter/],
  ["with an empty header", "---\n---\n\nIt is faster.\n", "names no package"],
  ["with a header without an end", '---\n"@holdfast/server": minor\n\nIt is faster.\n', /invalid frontmatter/],
  ["with an unknown bump", header.replace("minor", "small") + "\nIt is faster.\n", /invalid version type/],
  ["with the bump none", header.replace("minor", "none") + "\nIt is faster.\n", "releases nothing"],
  [
    "for a package that does not exist",
    header.replace("server", "sever") + "\nIt is faster.\n",
    /sever is not published/,
  ],
  ["without a summary", header + "\n", "has no text"],
])("[DO9] a changeset %s is refused", (_what, text, fault) => {
  expect(faultOf(text)).toMatch(fault);
});

test("[DO9] a changeset with a package, a bump and a summary is accepted", () => {
  expect(faultOf(header + "\nIt is faster.\n")).toBeUndefined();
});

test("[DO9] every changeset of the repository can be released", () => {
  const faults = readdirSync(join(root, ".changeset"))
    .filter((name) => name.endsWith(".md") && name !== "README.md")
    .flatMap((name) => {
      const fault = faultOf(read(`.changeset/${name}`));
      return fault === undefined ? [] : `${name}: ${fault}`;
    });
  expect(faults).toEqual([]);
});
