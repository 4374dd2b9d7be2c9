import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createClient } from "@holdfast/client";
import { defineProtocol } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import { expect, test, vi } from "vitest";
import * as z from "zod";
import { showBoard } from "../docs/snippets/board-client.js";
import { board } from "../docs/snippets/board-protocol.js";
import { server } from "../docs/snippets/board-server.js";
import { MAX_STATE_DEPTH, MAX_VALUE_DEPTH } from "../packages/protocol/src/codec/shape.js";

const read = (path: string): Promise<string> => readFile(new URL(`../docs/${path}`, import.meta.url), "utf8");

test.each(["board-protocol", "board-server", "board-client"])(
  "[RE10] the guide to documents contains %s unchanged, and the file fits a screen",
  async (name) => {
    const snippet = await read(`snippets/${name}.ts`);
    expect(await read("guides/documents.md")).toContain(`\`\`\`ts\n// ${name}.ts\n${snippet}\`\`\``);
    expect(snippet.trimEnd().split("\n").length).toBeLessThanOrEqual(50);
  },
);

test("[RE10] the guide and the error for a document that is too deep name the same maximum depth", async () => {
  expect(await read("guides/documents.md")).toContain(`, ${MAX_STATE_DEPTH} levels,`);
  const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
  const tree = z.array(z.json());
  const deep = createServer(defineProtocol({ name: "deep", version: "1.0.0", channels: { tree: { document: tree } } }));
  const { document } = deep.channel("tree");
  await document.set(JSON.parse(nested(MAX_STATE_DEPTH)) as z.infer<typeof tree>);
  for (const levels of [MAX_STATE_DEPTH + 1, MAX_VALUE_DEPTH, MAX_VALUE_DEPTH + 1])
    await expect(document.set(JSON.parse(nested(levels)) as z.infer<typeof tree>)).rejects.toMatchObject({
      code: "INVALID_VALUE",
      field: expect.stringMatching(/^document(\[0\]){23}$/) as string,
      message: expect.stringContaining(`nested more than ${MAX_STATE_DEPTH} levels deep`) as string,
    });
  await deep.close();
});

test("[RE10] the recipe runs: a client that watches a board receives each added card", async () => {
  const { port } = await server.listen(0);
  const url = `ws://127.0.0.1:${port}/ws`;
  const drawn: string[][] = [];
  const client = createClient(board, { url });
  const { id } = await client.request("board.create", { title: "Books" });
  const stop = showBoard(url, id, (lines) => void drawn.push(lines));
  await vi.waitFor(() => expect(drawn).toEqual([[]]));
  await client.request("card.add", { board: id, text: "Read" });
  await client.request("card.add", { board: id, text: "Write" });
  await vi.waitFor(() => expect(drawn.at(-1)).toEqual(["Read", "Write"]));
  const lost = { board: randomUUID(), text: "Lost" };
  await expect(client.request("card.add", lost)).rejects.toMatchObject({
    code: "NO_BOARD",
    data: { board: lost.board },
  });
  stop();
  client.disconnect();
  await server.close();
});
