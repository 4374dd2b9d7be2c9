import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { root, run } from "./run.mjs";

const folder = mkdtempSync(join(tmpdir(), "surface-"));
afterAll(() => rmSync(folder, { recursive: true }));
// Each run starts a compiler.
vi.setConfig({ testTimeout: 60_000 });

/**
 * Runs surface.mjs on a made-up repository with one package. `index` is the d.ts of the package's
 * main entry; the package also has a second entry and a chunk.
 */
async function surface(name: string, index: string, args: readonly string[] = []) {
  const at = join(folder, name);
  const dist = join(at, "packages/things/dist");
  const entry = (file: string) => ({ import: { types: `./dist/${file}.d.ts` } });
  const exports = { ".": entry("index"), "./more": entry("more") };
  const files = { "index.d.ts": index, "more.d.ts": more, "chunk.d.ts": chunk };
  mkdirSync(dist, { recursive: true });
  writeFileSync(join(dist, "../package.json"), JSON.stringify({ name: "@made-up/things", type: "module", exports }));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(dist, file), text);
  const { code, output } = await run(process.execPath, [join(root, "scripts/surface.mjs"), ...args, "--in", at]);
  return { code, output, text: () => readFileSync(join(at, "docs/surface/things.txt"), "utf8") };
}

const chunk = `
  interface Deep { readonly a: 1 }
  interface Chunked { readonly deep: Deep }
  export { type Chunked as C };
`;
const more = `interface Elsewhere { a: 1 } export { type Elsewhere as Renamed };`;

/** Each declaration names one type that no entry exports, in a place where users see it. */
const reachable = `
  interface Parameter { a: 1 }
  export declare function takes(options: { readonly nested?: Parameter }): void;
  interface Result { a: 1 }
  interface Option { a: 1 }
  export declare class Made { constructor(options: Option); make(): Promise<Result>; }
  interface Property { a: 1 }
  interface Base { a: 1 }
  export interface Thing extends Base { readonly a?: Property | undefined }
  interface Argument { a: 1 }
  export declare const list: ReadonlyMap<string, readonly Argument[]>;
  declare enum Kind { A }
  type Shape = { readonly a: 1 };
  export type Either = Kind | Shape;
  import { C } from "./chunk.js";
  export interface Renamed { readonly a: C }
  interface Behind { a: 1 }
  type Computed<T> = T extends string ? Behind : never;
  export declare function computes<T>(of: T): Computed<T>;
  interface OfValue { a: 1 }
  declare const table: { readonly a: OfValue };
  export type Cell = (typeof table)["a"];
  // Without this line, a d.ts exports everything that it declares.
  export {};
`;

test("[DO8] surface --check reports each reachable type that no entry exports, and fails", async () => {
  const { code: written } = await surface("reachable", reachable);
  expect(written).toBe(1);
  const { code, output } = await surface("reachable", reachable, ["--check"]);
  expect(code).toBe(1);
  const lines = output.split("\n");
  const line = ([name, from]: string[]) =>
    `${name} (packages/things/dist/${name === "Chunked" ? "chunk" : "index"}.d.ts) is reachable from ${from} of @made-up/things, and no public entry exports it.`;
  const found = [
    ["Parameter", "takes"],
    ["Option", "Made"],
    ["Result", "Made"],
    ["Base", "Thing"],
    ["Property", "Thing"],
    ["Argument", "list"],
    ["Kind", "Either"],
    ["Shape", "Either"],
    ["Chunked", "Renamed"],
    ["Behind", "computes"],
    ["OfValue", "Cell"],
  ].map(line);
  expect(lines.slice(0, -2).sort()).toEqual(found.sort());
  expect(lines.slice(-2).join(" ")).toMatch(
    /^Export a type that users may want to name\. .* mark the member .* @internal/,
  );
});

test("[DO8] surface --check accepts a type that any entry exports under any name, and ignores members that users do not see", async () => {
  const index = `
    import type { CompilerOptions } from "typescript";
    interface Hidden { a: 1 }
    interface Exported { a: 1 }
    type Part<T> = T extends string ? Exported : T;
    export declare class Open<Hidden2 extends Exported> {
      #own;
      private readonly hidden: Hidden;
      /** @internal */
      readonly plumbing: Hidden;
      /** @internal */
      constructor(hidden: Hidden);
      part<T>(of: T): Part<T>;
      other(of: import("./more.js").Renamed, own: Hidden2): CompilerOptions;
    }
    export { type Exported as Shown };
  `;
  const { code, output, text } = await surface("accepted", index);
  expect(output).toBe("");
  expect(code).toBe(0);
  expect(text()).toContain("## Shown\ninterface Exported {");
  expect(text()).not.toContain("Hidden;");
  expect(await surface("accepted", index, ["--check"])).toMatchObject({ code: 0, output: "" });
});

test("[DO8] surface --check fails if a declaration differs from the stored text", async () => {
  await surface("changed", "export interface Open { a: 1 }");
  const { code, output } = await surface("changed", "export interface Open { a: 2 }", ["--check"]);
  expect(output).toContain("The public surface has changed: docs/surface/things.txt.");
  expect(code).toBe(1);
});
