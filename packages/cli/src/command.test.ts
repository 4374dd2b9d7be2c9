import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defineProtocol } from "@holdfast/protocol";
import { wireMessages } from "@holdfast/protocol/wire";
import { run } from "./command.js";
import { compareFiles } from "./docs/files.js";
import { wireFiles } from "./docs/index.js";

const library = fileURLToPath(new URL("../../protocol/src/index.ts", import.meta.url));
const zod = fileURLToPath(import.meta.resolve("zod"));

let folder: string;
let said: { out: string; err: string };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-docs-"));
  said = { out: "", err: "" };
});
afterEach(() => rmSync(folder, { recursive: true }));

/**
 * Most protocol files of these tests read the library from this global variable, because compiling
 * the library for each file would take a second.
 */
Object.assign(globalThis, { holdfastTest: { defineProtocol, z } });

function write(name: string, source: string, head = "const { defineProtocol, z } = globalThis.holdfastTest;"): string {
  const path = join(folder, name);
  writeFileSync(path, `${head}\n${source}`);
  return path;
}

const one =
  'export const agents = defineProtocol({ name: "agents", version: "1.0.0", requests: { start: { input: z.object({ at: z.date() }) } } });';

/** Three documents, a schema for each message, and the schema of the input of `one`. */
const fileCount = 3 + new Set(wireMessages.map(({ type }) => type)).size + 1;

function holdfast(...argv: string[]): Promise<number> {
  said = { out: "", err: "" };
  return run(argv, { out: (text) => (said.out += text), err: (text) => (said.err += text) });
}

/** The numbers in the output of the command, without those in the version and the folder's name. */
function numbersIn(output: string): number[] {
  return [...output.replace(folder, "").matchAll(/ (\d+) /g)].map(([, digits]) => Number(digits));
}

describe("holdfast docs", () => {
  test("[DC9] a TypeScript file that exports a protocol: writes all files of the reference", async () => {
    const head = `import { defineProtocol } from ${JSON.stringify(library)};\nimport { z } from ${JSON.stringify(zod)};`;
    const path = write("protocol.ts", `${one}\nexport type Unused = string;`, head);
    const out = join(folder, "docs");
    expect(await holdfast("docs", path, "--out", out)).toBe(0);
    expect(numbersIn(said.out)).toEqual([fileCount, fileCount, 0]); // files, changed, removed
    expect(said.out).toContain("agents 1.0.0");
    expect(said.out).toContain(out);
    expect(said.err).toBe("");
    for (const name of ["protocol.md", "index.html", "asyncapi.json", "schemas/requests/start/input.json"])
      expect(existsSync(join(out, name))).toBe(true);
  }, 60_000);

  test("[DC9] accepts a default export, and one protocol that is exported twice", async () => {
    expect(await holdfast("docs", write("a.ts", `${one}\nexport default agents;`), "--out", join(folder, "a"))).toBe(0);
    expect(
      await holdfast(
        "docs",
        write("b.ts", one.replace("export const agents =", "export default")),
        "--out",
        join(folder, "b"),
      ),
    ).toBe(0);
  });

  test("[DC9] --export uses the named export", async () => {
    const path = write("two.ts", `${one}\nexport const other = defineProtocol({ name: "other", version: "2.0.0" });`);
    expect(await holdfast("docs", path, "--out", join(folder, "docs"), "--export", "other")).toBe(0);
    expect(said.out).toContain("other 2.0.0");
  });

  test("[DC9] --server sets the address in the examples", async () => {
    await holdfast("docs", write("p.ts", one), "--out", join(folder, "docs"), "--server", "wss://example.com/live");
    expect(readFileSync(join(folder, "docs/protocol.md"), "utf8")).toContain("`wss://example.com/live`");
  });

  test("[DC9] --help, -h and no arguments print the usage and exit with 0", async () => {
    for (const argv of [["--help"], [], ["docs", "-h"]]) {
      expect(await holdfast(...argv)).toBe(0);
      expect(said.out).toContain("holdfast docs <protocol.ts> --out <folder>");
    }
  });

  // The last column is the fact that the reader needs: a name, an option or a place.
  test.each<[string, (path: (source: string) => string) => string[], 1 | 2, string[]]>([
    ["an unknown command", () => ["serve", "x"], 2, ["serve"]],
    ["a missing file", () => ["docs", "--out", "x"], 2, ["holdfast docs"]],
    ["two files", () => ["docs", "a", "b", "--out", "x"], 2, ["holdfast docs"]],
    ["a missing --out", (path) => ["docs", path(one)], 2, ["--out"]],
    ["an unknown option", () => ["docs", "a", "--outt", "x"], 2, ["--outt", "--help"]],
    [
      "an http address",
      (path) => ["docs", path(one), "--out", "x", "--server", "http://x"],
      2,
      ["--server", "http://x", "wss://"],
    ],
    ["a path without a file", () => ["docs", "nowhere.ts", "--out", "x"], 2, ["nowhere.ts"]],
    [
      "a file without a protocol",
      (path) => ["docs", path("export const a = { name: 'agents' };"), "--out", "x"],
      2,
      ["wrong.ts", "defineProtocol"],
    ],
    [
      "several protocols",
      (path) => [
        "docs",
        path(`${one} export const b = defineProtocol({ name: "b", version: "1.0.0" });`),
        "--out",
        "x",
      ],
      2,
      ["--export agents", "--export b"],
    ],
    [
      "an unknown export",
      (path) => ["docs", path(one), "--out", "x", "--export", "agent"],
      2,
      ["agent", "--export agents"],
    ],
    [
      "an export that is not a protocol",
      (path) => ["docs", path("export const agents = 5;"), "--out", "x", "--export", "agents"],
      2,
      ["agents", "defineProtocol"],
    ],
    [
      "a file that throws",
      (path) => ["docs", path('throw new Error("no database");'), "--out", "x"],
      1,
      ["wrong.ts", "no database"],
    ],
    ["a file with a syntax error", (path) => ["docs", path("export const = ;"), "--out", "x"], 1, ["wrong.ts"]],
    [
      "a wrong definition",
      (path) => ["docs", path('export const a = defineProtocol({ name: "a b", version: "1.0.0" });'), "--out", "x"],
      1,
      ["name"],
    ],
    [
      "an example that does not match its schema",
      (path) => [
        "docs",
        path(
          'export const a = defineProtocol({ name: "a", version: "1.0.0", direct: { e: z.uuid().meta({ examples: ["1"] }) } });',
        ),
        "--out",
        "x",
      ],
      1,
      ["direct.e", "examples[0]", ".meta({ examples: "],
    ],
  ])("[DC9] holdfast docs refuses %s with its exit code and names the cause", async (_name, argv, code, facts) => {
    expect(await holdfast(...argv((source) => write("wrong.ts", source)))).toBe(code);
    for (const fact of facts) expect(said.err).toContain(fact);
    expect(said.err).not.toContain("    at ");
    expect(said.out).toBe("");
    expect(existsSync("x")).toBe(false);
  });
});

describe("holdfast docs --check", () => {
  test("[DC10] exits with 1 without a reference and with 0 for an unchanged reference, and writes nothing", async () => {
    const path = write("p.ts", one);
    const out = join(folder, "docs");
    expect(await holdfast("docs", path, "--out", out, "--check")).toBe(1);
    expect(existsSync(out)).toBe(false);
    await holdfast("docs", path, "--out", out);
    expect(await holdfast("docs", path, "--out", out, "--check")).toBe(0);
    expect(numbersIn(said.out)).toEqual([fileCount]);
    expect(said.err).toBe("");
  });

  test("[DC10] lists every missing, changed and extra file, and the command that updates the reference", async () => {
    const out = join(folder, "docs");
    await holdfast("docs", write("p.ts", one), "--out", out);
    rmSync(join(out, "schemas/messages/auth.json"));
    const later = write("p.ts", one.replace("start: {", "begin: {"));
    expect(await holdfast("docs", later, "--out", out, "--check")).toBe(1);
    const listed = [...said.err.matchAll(/^ +(missing|changed|extra) +(\S+)$/gm)].map(([, kind, name]) => [kind, name]);
    expect(listed).toEqual([
      ["missing", "schemas/messages/auth.json"],
      ["missing", "schemas/requests/begin/input.json"],
      ["changed", "protocol.md"],
      ["changed", "index.html"],
      ["changed", "asyncapi.json"],
      ["extra", "schemas/requests/start/input.json"],
    ]);
    expect(said.err).toContain(`npx holdfast docs ${later} --out ${out}\n`);
    expect(said.out).toBe("");
  });

  test("[DC10] ignores line ends that a checkout changed", async () => {
    const path = write("p.ts", one);
    const out = join(folder, "docs");
    await holdfast("docs", path, "--out", out);
    const file = join(out, "protocol.md");
    writeFileSync(file, readFileSync(file, "utf8").replaceAll("\n", "\r\n"));
    expect(await holdfast("docs", path, "--out", out, "--check")).toBe(0);
  });

  test("[DC10] a second run removes files of the first run that are no longer generated, and no other files", async () => {
    const out = join(folder, "docs");
    await holdfast("docs", write("p.ts", one), "--out", out);
    writeFileSync(join(out, "schemas/mine.json"), "{}");
    mkdirSync(join(out, "notes"));
    cpSync(join(out, "schemas/requests/start/input.json"), join(out, "notes/input.json"));
    await holdfast("docs", write("p.ts", one.replace("start: {", "begin: {")), "--out", out);
    expect(numbersIn(said.out).at(-1)).toBe(1); // removed
    expect(existsSync(join(out, "schemas/requests/start/input.json"))).toBe(false);
    expect(existsSync(join(out, "schemas/mine.json"))).toBe(true);
    expect(existsSync(join(out, "notes/input.json"))).toBe(true);
  });
});

test("[DC10] docs/reference matches the files that wireFiles generates", () => {
  const reference = fileURLToPath(new URL("../../../docs/reference", import.meta.url));
  expect(compareFiles(reference, wireFiles()), "run: node scripts/docs.mjs").toEqual({
    missing: [],
    changed: [],
    extra: [],
  });
});
