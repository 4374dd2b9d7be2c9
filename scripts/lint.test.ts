import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Files with one violation each, and a part of the message that lint must print for the file. */
const planted: { path: string; source: string; says: string }[] = [
  violation("protocol", "client.ts", `import "@holdfast/client";`, "it imports nothing of ours"),
  violation("protocol", "node.ts", `import "node:fs";`, "also runs in browsers and React Native"),
  violation("protocol", "rich.ts", `import SuperJSON from "superjson"; SuperJSON;`, "rich-values.ts speaks superjson"),
  violation("protocol", "describe.ts", `import "@holdfast/cli";`, "it imports nothing of ours"),
  violation("cli", "docs/own.ts", `import "@holdfast/server";`, "cli imports @holdfast/protocol and nothing else"),
  violation("client", "server.ts", `import "@holdfast/server";`, "client imports @holdfast/protocol and nothing else"),
  violation("client", "docs.ts", `import "@holdfast/cli";`, "client imports @holdfast/protocol and nothing"),
  violation(
    "client",
    "describe.ts",
    `import "@holdfast/protocol/describe";`,
    "client imports @holdfast/protocol and nothing",
  ),
  violation("server", "docs.ts", `import "@holdfast/cli";`, "only tests may use the client"),
  violation("client", "node.ts", `import "node:events";`, "also runs in browsers and React Native"),
  violation("client", "rws.ts", `import "reconnecting-websocket";`, "its defects are fenced in there"),
  violation("client", "iso.ts", `import "isomorphic-ws";`, "the global elsewhere"),
  violation("client", "socket.ts", `import "ws";`, "must not pull `ws` into a browser"),
  violation("client", "zod.ts", `import { z } from "zod"; z;`, "93 KB (gzip)"),
  violation("client", "path.ts", `import "../../protocol/src/version.js";`, "by its name, never by a path"),
  violation("server", "client.ts", `import "@holdfast/client";`, "only tests may use the client"),
  violation("server", "dispatch/ws.ts", `import "ws";`, "transport/ names ws"),
  violation("server", "session/http.ts", `import "node:http";`, "transport/ touches the network"),
  violation("server", "transport/client.ts", `import "@holdfast/client";`, "only tests may use the client"),
  violation("client", "timer.ts", `setTimeout(() => {}, 1);`, "Take the clock from the environment"),
  violation("client", "now.ts", `export const now = Date.now();`, "Take the clock from the environment"),
  violation("client", "elapsed.ts", `export const at = (clock: { now(): number }) => clock.now();`, "with monotonic()"),
  violation("server", "taken.ts", `export const at = ({ now }: { now(): number }) => now();`, "with monotonic()"),
  violation("server", "random.ts", `export const seed = Math.random();`, "Take random numbers from the environment"),
  violation("server", "console.ts", `console.log(1);`, "no-console"),
  violation("server", "any.ts", `export let a: any;`, "no-explicit-any"),
  violation("server", "float.ts", `export function f() { Promise.resolve(); }`, "no-floating-promises"),
  violation("server", "type.ts", `import { A } from "./any.js"; export type B = typeof A;`, "consistent-type-imports"),
  violation(
    "server",
    "switch.ts",
    `export function f(a: 1 | 2) { switch (a) { case 1: } }`,
    "switch-exhaustiveness-check",
  ),
  violation("server", "long.ts", "export {};\n".repeat(301), "max-lines"),
  violation("server", "cycle-a.ts", `export { b } from "./cycle-b.js"; export const a = 1;`, "no-cycle"),
  violation("server", "cycle-b.ts", `export { a } from "./cycle-a.js"; export const b = 1;`, "no-cycle"),
  violation("server", "only.test.ts", `import { test } from "vitest"; test.only("a", () => {});`, "no-focused-tests"),
];

/** The same constructs in places where they are allowed. */
const allowed: { path: string; source: string }[] = [
  file("protocol", "codec/rich-values.ts", `import SuperJSON from "superjson"; export { SuperJSON };`),
  file("cli", "docs/render.ts", `import "node:fs"; import "@holdfast/protocol/wire";`),
  file("client", "environment.ts", `export const now = Date.now; setTimeout(now, 1);`),
  file("client", "index.ts", `import "@holdfast/protocol";`),
  file("client", "own/socket.ts", `import * as z from "zod/mini"; export { z };`),
  file("server", "transport/node.ts", `import "ws"; import "node:http"; import "@holdfast/protocol";`),
  file("server", "a.test.ts", `import "@holdfast/client"; import "ws"; import { z } from "zod"; export { z };`),
];

function file(name: string, path: string, source: string) {
  return { path: `packages/${name}/src/${path}`, source };
}

function violation(name: string, path: string, source: string, says: string) {
  return { ...file(name, path, source), says };
}

let folder: string;
let found: { filename: string; text: string }[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-lint-"));
  cpSync(join(root, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
  cpSync(join(root, "tsconfig.base.json"), join(folder, "tsconfig.json"));
  for (const { path, source } of [...planted, ...allowed]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), source);
  }
  found = await lint(folder);
}, 30_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function lint(cwd: string) {
  const oxlint = join(root, "node_modules", "oxlint", "bin", "oxlint");
  // oxlint exits with 1 if it finds a violation. The report is on stdout in either case.
  const { stdout } = await promisify(execFile)(process.execPath, [oxlint, "--type-aware", "--format=json"], {
    cwd,
    maxBuffer: 1 << 26,
  }).catch((error: { stdout: string }) => error);
  const report = JSON.parse(stdout) as {
    diagnostics: { filename: string; message: string; code: string; help?: string }[];
  };
  return report.diagnostics.map(({ filename, message, code, help }) => ({
    filename: filename.replaceAll("\\", "/"),
    text: `${code} ${message} ${help ?? ""}`,
  }));
}

test.each(planted)("lint refuses $path, and the message explains the rule", ({ path, says }) => {
  const messages = found.filter(({ filename }) => filename.endsWith(path)).map(({ text }) => text);
  expect(messages.join("\n")).toContain(says);
});

test.each(allowed)("lint accepts $path", ({ path }) => {
  expect(found.filter(({ filename }) => filename.endsWith(path))).toEqual([]);
});
