import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineProtocol, type Protocol } from "@holdfast/protocol";
import { agents } from "../../../../docs/snippets/protocol.js";
import { board } from "../../../../docs/snippets/board-protocol.js";
import { everything } from "../../test/everything.js";
import { variableOf } from "./calls.js";
import { literal } from "./literal.js";
import { protocolFiles } from "./index.js";
import { typeDeclaration } from "./type-text.js";

const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** The TypeScript of a reference, section by section. The first section makes the client. */
function callsOf(protocol: Protocol): string[][] {
  const sections = protocolFiles(protocol).get("protocol.md")!.split('<a id="').slice(1);
  return sections
    .map((section) => [...section.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code))
    .filter((blocks) => blocks.length > 0);
}

/**
 * A module with all calls. Each block has a scope of its own that contains the types of its
 * section.
 */
function moduleOf(protocol: Protocol, path: string): string {
  const [[setUp = ""] = [], ...sections] = callsOf(protocol);
  const name = variableOf(protocol.name);
  const scopes = sections.map((blocks) => {
    const types = blocks.filter((block) => block.startsWith("type ")).join("");
    const calls = blocks.filter((block) => !block.startsWith("type "));
    // The refusals of a handler are comments, because only the application knows when to refuse.
    const scope = (code: string) => `{\n${code.replace(/^ *\/\/ throw/gm, "if (Math.random() > 1) throw")}}\n`;
    return `{\n${types}${calls.map(scope).join("")}}\n`;
  });
  return `import type { Server } from "@holdfast/server";
${setUp.replace('"./protocol.js"', JSON.stringify(path))}
declare const server: Server<typeof ${name}.definition>;
${scopes.join("")}export {};\n`;
}

/** The compiler's findings in modules that exist only in memory. */
function compile(modules: ReadonlyMap<string, string>): string[] {
  const { config } = ts.readConfigFile(join(root, "tsconfig.base.json"), (path) => ts.sys.readFile(path)) as {
    config: object;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const settings: ts.CompilerOptions = {
    ...options,
    lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
    types: ["node"],
    declaration: false,
    // The calls store results that no statement reads, and optional fields (`?`) are shown without
    // `| undefined`.
    noUnusedLocals: false,
    exactOptionalPropertyTypes: false,
  };
  const host = ts.createCompilerHost(settings);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (path) => modules.has(path) || fileExists(path);
  host.getSourceFile = (path, ...rest) => {
    const text = modules.get(path);
    return text === undefined ? getSourceFile(path, ...rest) : ts.createSourceFile(path, text, rest[0]);
  };
  const program = ts.createProgram([...modules.keys()], settings, host);
  return [...modules.keys()].flatMap((path) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map((finding) => {
      const line = file!.getLineAndCharacterOfPosition(finding.start ?? 0).line;
      return `${file!.text.split("\n")[line]}: ${ts.flattenDiagnosticMessageText(finding.messageText, " ")}`;
    });
  });
}

const here = dirname(fileURLToPath(import.meta.url));

describe("the calls in a reference", () => {
  test("[DO11] the calls of every request, channel and direct event compile against the packages", () => {
    const modules = new Map([
      [join(here, "everything-calls.ts"), moduleOf(everything, "../../test/everything.js")],
      [join(here, "agents-calls.ts"), moduleOf(agents, "../../../../docs/snippets/protocol.js")],
      [join(here, "board-calls.ts"), moduleOf(board, "../../../../docs/snippets/board-protocol.js")],
    ]);
    expect(compile(modules)).toEqual([]);
  }, 120_000);

  test("[DO11] a call with a wrong argument does not compile", () => {
    const text = moduleOf(everything, "../../test/everything.js").replace('title: "Water the plants"', "title: 5");
    expect(compile(new Map([[join(here, "wrong-calls.ts"), text]]))).toHaveLength(1);
  }, 120_000);

  test("[DO11] protocol.md shows calls before field tables and folded frames after both", () => {
    const text = protocolFiles(everything).get("protocol.md")!;
    const [, section = ""] = text.split('<a id="request-task.create">');
    const order = [
      'client.request("task.create"',
      'server.handle("task.create"',
      "**Input**",
      "<details>",
      '"type": "request"',
    ];
    const places = order.map((part) => section.indexOf(part));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });
});

test.each<[unknown, string]>([
  [{ a: 1n, "b-c": [new Date(0)], d: undefined }, '{ a: 1n, "b-c": [new Date("1970-01-01T00:00:00.000Z")] }'],
  [new Map([["a", new Set([1])]]), 'new Map([["a", new Set([1])]])'],
  [[-0, Number.NaN, null, undefined], "[-0, NaN, null, undefined]"],
])("[DO11] literal writes a value as a TypeScript expression: %o", (value, expected) => {
  expect(literal(value)).toBe(expected);
});

test("[DO11] typeDeclaration marks a field with a default as optional for the sender only", () => {
  const schema = z.object({ size: z.number().default(5), tags: z.set(z.enum(["a", "b"])) });
  expect(typeDeclaration("Input", schema, "sent")).toBe('type Input = { size?: number; tags: Set<"a" | "b"> };');
  expect(typeDeclaration("Input", schema, "received")).toBe('type Input = { size: number; tags: Set<"a" | "b"> };');
});

test("[DO11] the protocol's variable is its name in camel case, and no reserved word", () => {
  expect(["agents", "session-sync", "client"].map(variableOf)).toEqual(["agents", "sessionSync", "clientProtocol"]);
  expect(() => callsOf(defineProtocol({ name: "bare", version: "1.0.0" }))).not.toThrow();
});
