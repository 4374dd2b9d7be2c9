import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, describe, expect, test } from "vitest";
import { root } from "./run.mjs";
import { misfitsOf } from "./stand-in-types.mjs";
import { standIns, standInsOf } from "./stand-ins.mjs";

const folder = mkdtempSync(join(tmpdir(), "stand-ins-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a package's src with these files, each with its text. */
function sourceOf(name: string, files: { readonly [path: string]: string }): string {
  const source = join(folder, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(source, path, ".."), { recursive: true });
    writeFileSync(join(source, path), text);
  }
  return source;
}

/**
 * Bundles a package's entries as the package's page build does. Returns the bundle, and the paths
 * of the bundled sources below src.
 */
async function pageBundle(source: string, entries: readonly string[] = ["index.ts"]) {
  const { metafile, outputFiles } = await build({
    entryPoints: entries.map((entry) => join(source, entry)),
    outdir: join(source, "dist"),
    splitting: true,
    // The two entries of protocol import each other to share a chunk.
    logOverride: { "ignored-bare-import": "silent" },
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    packages: "external",
    absWorkingDir: source,
    tsconfigRaw: {},
    plugins: [standIns(source)],
  });
  const holds = Object.values(metafile.outputs).map(({ inputs }) => Object.keys(inputs));
  return { inputs: Object.keys(metafile.inputs), text: outputFiles[0]!.text, holds };
}

/** The page entries of each package, as in its tsup.config.ts. */
const entriesOf: { readonly [name: string]: readonly string[] } = {
  protocol: ["page/index.ts", "page/internal.ts"],
  client: ["index.ts"],
};

describe.each(["protocol", "client"])("the stand-ins of %s", (name) => {
  const source = join(root, "packages", name, "src");
  const found = standInsOf(source);
  const below = (paths: Iterable<string>) => new Set([...paths].map((path) => path.slice(source.length + 1)));
  const [replaced, stands] = [below(found.keys()), below(found.values())];

  test("[PG7] each file of src/page stands in for exactly one module", () => {
    const files = readdirSync(join(source, "page")).filter((file) => !file.endsWith(".test.ts"));
    expect(files.length).toBeGreaterThan(2);
    expect(stands).toEqual(new Set(files.map((file) => `page/${file}`)));
    expect(replaced.size).toBe(files.length);
  });

  test("[PG7] a page's bundle contains each stand-in, and a replaced module only if its stand-in imports it", async () => {
    const { inputs } = await pageBundle(source, entriesOf[name]);
    const builtOn = ["codec/rich-values.ts", "codec/shape.ts", "error-codes.ts", "index.ts"];
    expect(new Set(inputs.filter((path) => path.startsWith("page/")))).toEqual(stands);
    expect(new Set(inputs.filter((path) => replaced.has(path)))).toEqual(new Set(name === "protocol" ? builtOn : []));
  });
});

test.each(["protocol", "client"])(
  "[PG14] each export of the stand-ins of %s has the type of the replaced export",
  (name) => {
    const folderOf = join(root, "packages", name);
    expect(misfitsOf(standInsOf(join(folderOf, "src")), join(folderOf, "tsconfig.json"))).toEqual([]);
  },
);

test("[PG14] misfitsOf reports an export with another type or without a counterpart", () => {
  const source = sourceOf("types", {
    "tsconfig.json": `{ "compilerOptions": { "strict": true, "types": [], "module": "nodenext" } }`,
    "a.ts": `export const a = (field: string): string => field; export const b = (): number => 1; export { a as c };`,
    "page/a.ts": `const other = (_cause: unknown, field: string): string => field;
      export { other as a }; export const b = (): string => ""; export const c = (): string => ""; export const d = 1;`,
  });
  expect(misfitsOf(standInsOf(source), join(source, "tsconfig.json")).sort()).toEqual([
    "a.ts: a",
    "a.ts: b",
    "a.ts: d",
  ]);
}, 60_000);

test("[PG13] a page that imports both entries of protocol gets one chunk with every module once", async () => {
  const { holds } = await pageBundle(join(root, "packages/protocol/src"), entriesOf["protocol"]);
  const modules = holds.flat().filter((path) => !entriesOf["protocol"]!.includes(path));
  expect(holds).toHaveLength(3);
  expect(modules).toContain("define-protocol.ts");
  expect(modules).toContain("document/hash.ts");
  expect(holds.filter((paths) => paths.some((path) => modules.includes(path)))).toHaveLength(1);
}, 60_000);

test("[PG7] a stand-in replaces only its own module, from every importing folder", async () => {
  const source = sourceOf("exact", {
    "index.ts": `export { a } from "./codec/a.js"; export { b } from "./codec/b.js";`,
    "codec/a.ts": `export const a = "full a";`,
    "codec/b.ts": `export { a as b } from "./a.js";`,
    "page/a.ts": `import { a as full } from "../codec/a.js"; export const a = ["page", full];`,
  });
  const { inputs, text } = await pageBundle(source);
  expect(new Set(inputs)).toEqual(new Set(["codec/a.ts", "codec/b.ts", "index.ts", "page/a.ts"]));
  expect(text.match(/full a/g)).toHaveLength(1);
  expect(text).toContain(`["page", a]`);
});

test.each([
  ["no namesake", {}, "0 others have its name"],
  ["two namesakes", { "a.ts": "", "codec/a.ts": "" }, "2 others have its name"],
  ["a test as its only namesake", { "a.test.ts": "" }, "0 others have its name"],
])("[PG7] a stand-in with %s fails the build", (name, files, says) => {
  const source = sourceOf(name, { "page/a.ts": "", ...files });
  expect(() => standInsOf(source)).toThrow(says);
});
