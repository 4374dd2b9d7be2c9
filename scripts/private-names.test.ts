import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Client from "@holdfast/client";
import { defineProtocol } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import { build, type Format } from "esbuild";
import ts from "typescript";
import { minify } from "terser";
import { afterAll, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import * as z from "zod";
import { page as pageBuild, pagePlugins } from "../tsup.base.js";
import { shortNames } from "./private-names.mjs";
import { root } from "./run.mjs";

const client = join(root, "packages/client/src");
const names = JSON.parse(readFileSync(join(client, "../private-names.json"), "utf8")) as string[];

function parse(folder: string): ts.SourceFile[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !/\.test(-d)?\.ts$/.test(path))
    .map((path) => ts.createSourceFile(path, readFileSync(join(folder, path), "utf8"), ts.ScriptTarget.ES2022, true));
}
const sources = parse(client);
const protocol = parse(join(root, "packages/protocol/src"));

function each(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => each(child, visit));
}

/** The names of properties that are declared, set or read below a node. */
function propertiesOf(nodes: readonly ts.Node[]): Set<string> {
  const found = new Set<string>();
  for (const top of nodes)
    each(top, (node) => {
      if (ts.isPropertyAccessExpression(node)) found.add(node.name.text);
      else if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent))
        found.add((node.propertyName ?? node.name).getText());
      else if (ts.isTypeElement(node) || ts.isClassElement(node) || ts.isObjectLiteralElement(node))
        if (node.name) found.add(node.name.getText());
    });
  return found;
}

/**
 * The declarations that an application's types can reach: the exports of the entries, and the types
 * that these exports name, directly or through other types.
 */
function publicDeclarations(): ts.Node[] {
  const declared = new Map<string, ts.Node[]>();
  for (const source of sources)
    for (const statement of source.statements) {
      const named: readonly ts.Node[] = ts.isVariableStatement(statement)
        ? statement.declarationList.declarations
        : [statement];
      for (const node of named)
        if ("name" in node && node.name) {
          const name = (node.name as ts.Node).getText();
          const signature = ts.isFunctionDeclaration(node)
            ? [...node.parameters, ...(node.type ? [node.type] : [])]
            : [node];
          declared.set(name, [...(declared.get(name) ?? []), ...signature]);
        }
    }
  const reached = new Set<string>();
  const reach = (node: ts.Node): void =>
    each(node, (inner) => {
      if (!ts.isIdentifier(inner) || reached.has(inner.text)) return;
      if (!ts.isTypeNode(inner.parent) && !ts.isExportSpecifier(inner.parent)) return;
      reached.add(inner.text);
      declared.get(inner.text)?.forEach(reach);
    });
  for (const source of sources.filter(({ fileName }) => ["index.ts", "file.ts"].includes(fileName))) reach(source);
  return [...reached].flatMap((name) => declared.get(name) ?? []);
}

/**
 * Every string in the sources, and every property of an object that is logged, reported or turned
 * into JSON. These names reach a log, a store or the platform.
 */
function spoken(): Set<string> {
  const found = new Set<string>();
  for (const source of sources)
    each(source, (node) => {
      if (ts.isStringLiteralLike(node) && !ts.isLiteralTypeNode(node.parent)) found.add(node.text);
      if (!ts.isCallExpression(node) || !/logger|console|JSON|report$/.test(node.expression.getText())) return;
      for (const name of propertiesOf(node.arguments.filter(ts.isObjectLiteralExpression))) found.add(name);
    });
  return found;
}

/**
 * Every property that the platform provides: the members of Node's globals, and the properties that
 * the client declares for other platforms.
 */
function platform(): Set<string> {
  const files = [
    "host.ts",
    "clock.ts",
    "socket.ts",
    "socket-contract.ts",
    "raw-socket.ts",
    "page/socket.ts",
    "on-abort.ts",
    "policy-watch.ts",
  ];
  const found = propertiesOf(sources.filter(({ fileName }) => files.includes(fileName)));
  for (const value of Object.getOwnPropertyNames(globalThis).map(
    (name) => (globalThis as Record<string, unknown>)[name],
  ))
    for (const holder of typeof value === "function" ? [value, value.prototype as unknown] : [value])
      if (Object(holder) === holder) for (const name of Object.getOwnPropertyNames(holder)) found.add(name);
  return found;
}

const stored = sources.filter(({ fileName }) => ["keep-positions.ts", "file.ts"].includes(fileName));

test.each([
  ["a public type", propertiesOf(publicDeclarations()), "requestTimeoutMs"],
  ["the protocol: its messages, contracts and faults", propertiesOf(protocol), "correlation_id"],
  ["a log, a string or a report", spoken(), "source"],
  ["the platform", platform(), "addEventListener"],
  ["a storage", propertiesOf(stored), "setItem"],
])("[PG10] no shortened name is a name of %s", (_, taken, example) => {
  expect([...taken]).toContain(example);
  expect(names.filter((name) => taken.has(name))).toEqual([]);
});

// Each test builds its format from scratch, which takes long if other programs keep the processor
// busy.
vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(root, "node_modules/.private-names-"));
afterAll(() => rmSync(folder, { recursive: true }));

const short = await shortNames(client);

/** Builds the client as its page build does. */
async function pageClient(format: Format): Promise<{ path: string; text: string }> {
  const path = join(folder, format === "esm" ? "client.mjs" : "client.cjs");
  const { outputFiles } = await build({
    entryPoints: [join(client, "index.ts")],
    bundle: true,
    write: false,
    format,
    packages: "external",
    tsconfigRaw: {},
    // Without the alias, the test would use its own copy of the protocol.
    alias: {
      "@holdfast/protocol": join(root, "packages/protocol/src/index.ts"),
      "@holdfast/protocol/internal": join(root, "packages/protocol/src/internal.ts"),
    },
    plugins: pagePlugins(client),
    ...short,
  });
  const { code } = await minify(outputFiles[0]!.text, { ...pageBuild.terserOptions, sourceMap: false });
  writeFileSync(path, code!);
  return { path, text: code! };
}

test("[PG10] every listed name is used and gets the same short name in both formats, and no other property has that name", async () => {
  const { v: reserved, ...cache } = short.mangleCache;
  const shortened = Object.values(cache);
  expect(reserved).toBe(false);
  expect(Object.keys(cache).sort()).toEqual(names);
  expect(new Set(shortened).size).toBe(names.length);
  const others = propertiesOf([...sources, ...protocol]);
  expect(shortened.filter((name) => others.has(String(name)))).toEqual([]);
  const built = await Promise.all(
    (["esm", "cjs"] as const).map(async (format) => {
      const { text } = await pageClient(format);
      return propertiesOf([ts.createSourceFile("client.js", text, ts.ScriptTarget.ES2022, true)]);
    }),
  );
  const [esm = [], cjs] = built.map((found) => shortened.filter((name) => found.has(String(name))));
  expect(esm).toEqual(cjs);
  // Names that terser has removed occur in neither build.
  expect(esm.length).toBeGreaterThan(names.length / 2);
  for (const found of built) expect(names.filter((name) => found.has(name))).toEqual([]);
});

test.each(["esm", "cjs"] as const)(
  "[PG10] [PG11] the page's client with short names works against a server and logs nothing for debugging, as %s",
  async (format) => {
    const definition = defineProtocol({
      name: "play",
      version: "1.0.0",
      requests: { add: { input: z.number(), output: z.number() }, wait: {} },
      channels: {
        board: {
          key: z.string(),
          events: { moved: z.date() },
          document: z.object({ n: z.number() }),
          presence: z.string(),
        },
        log: { events: { said: z.string() }, history: { size: 8, ttlMs: 60_000 } },
      },
      direct: { told: z.string() },
    });
    const server = createServer(definition, {
      authenticate: ({ token }) => ({ userId: token }),
      authorize: ({ key }) => key !== "secret",
    });
    let sum = 0;
    server.handle("add", ({ input }) => (sum += input));
    server.handle(
      "wait",
      ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined))),
    );
    const { url } = await server.listen(0, { host: "127.0.0.1" });
    const { path } = await pageClient(format);
    const built = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as typeof Client;
    const errors: unknown[] = [];
    const logged: string[] = [];
    const note = (level: string) => (): void => void logged.push(level);
    const page = built.createClient(definition, {
      url,
      token: () => "u1",
      retry: { minMs: 60_000, maxMs: 60_000 },
      WebSocket: WebSocket as never,
      logger: { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") },
    });
    page.onError((error) => errors.push(error));
    try {
      expect(await page.request("add", 2)).toBe(2);
      expect(page.status.get()).toMatchObject({ name: "ready", userId: "u1", resumed: false });
      await expect(page.request("wait", undefined, { timeoutMs: 20 })).rejects.toMatchObject({ code: "TIMEOUT" });

      const board = page.channel("board", "b1");
      const document = built.documentOf(board);
      const present = built.presenceOf(board);
      const heard: unknown[] = [];
      board.on("moved", (at) => heard.push(at));
      page.channel("log").on("said", (text) => heard.push(text));
      page.direct.on("told", (text) => heard.push(text));
      document.subscribe(() => {});
      present.subscribe(() => {});
      present.set("here");
      await Promise.all([board.join(), page.channel("log").join()]);
      await server.channel("board", "b1").document.set({ n: 1 });
      await server.channel("board", "b1").document.update((value) => ({ n: value.n + 1 }));
      await vi.waitUntil(() => document.get()?.n === 2, { timeout: 10_000 });
      await vi.waitUntil(() => present.get().users.length === 1, { timeout: 10_000 });
      await server.channel("board", "b1").publish("moved", new Date(5));
      await server.channel("log").publish("said", "one");
      await server.user("u1").send("told", "two");
      await vi.waitUntil(() => heard.length === 3, { timeout: 10_000 });
      await expect(page.channel("board", "secret").join()).rejects.toMatchObject({ code: "FORBIDDEN" });

      await server.close();
      await vi.waitUntil(() => page.status.get().name === "waiting", { timeout: 10_000 });
      expect(page.status.get()).toMatchObject({ attempt: 1, reason: { name: expect.any(String) as string } });
      expect(errors).toEqual([]);
      expect(logged).toEqual([]);
    } finally {
      page.disconnect();
      await server.close();
    }
    expect(page.status.get()).toMatchObject({ name: "closed", reason: { name: "DISCONNECTED" } });
  },
);
