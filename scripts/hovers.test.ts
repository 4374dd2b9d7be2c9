import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const file = `${root}scripts/hovers.snippet.ts`;
const text = `
import { createClient } from "@holdfast/client";
import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod";
const boards = defineProtocol({
  name: "boards",
  version: "1.0.0",
  requests: { count: { input: z.object({ of: z.string() }), output: z.number() }, unrelated: {} },
  channels: { news: { events: { posted: z.object({ title: z.string() }) } } },
});
const client = createClient(boards, { url: "" });
void client.request("count", { of: "cards" });
client.channel("news").on("posted", () => undefined);
`;

/**
 * For each place, the text that an editor shows if the pointer rests on the name after this place.
 */
function hovers(...places: readonly string[]): string[] {
  const { config } = ts.readConfigFile(`${root}tsconfig.base.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const service = ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => [file],
    getScriptVersion: () => "1",
    getScriptSnapshot(name) {
      const content = name === file ? text : ts.sys.fileExists(name) ? readFileSync(name, "utf8") : undefined;
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content);
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
  });
  return places.map((before) => {
    const info = service.getQuickInfoAtPosition(file, text.indexOf(before) + before.length);
    return ts.displayPartsToString(info?.displayParts);
  });
}

test("[PR5] hovering over `request` and `on` shows the types of input, output and event, not the type of the protocol", () => {
  const [request, on] = hovers("void client.", 'client.channel("news").');
  expect(request).toContain("request");
  expect(request).toContain("of: string");
  expect(request).toContain("Promise<number>");
  expect(on).toContain("title: string");
  for (const shown of [request, on]) expect(shown).not.toMatch(/Zod|Protocol|unrelated|version/);
});
