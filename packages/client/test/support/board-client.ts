import { documentOf } from "../../src/document.js";
import type { BaseOptions } from "../../src/options.js";
import { boards, boardServer, type Doc } from "./board.js";
import { onChange } from "./changes.js";
import { settle, testClientOf } from "./test-client.js";

export const CARDS = [
  { id: "a", text: "A" },
  { id: "b", text: "B" },
];
export const FIRST: Doc = { data: { title: "First", cards: CARDS }, version: 3 };
export const titled = (title: string) => ({ title, cards: CARDS });
export const title = (value: string) => [{ op: "replace" as const, path: ["title"], value }];

export function onBoard(doc: Doc = FIRST, options: Partial<BaseOptions> = {}) {
  const server = boardServer("board:b", doc);
  const { client, world } = testClientOf(boards, server.behaviour, options);
  const board = client.channel("board", "b");
  /** The `state` in each `subscribe`, or `-`. */
  const said = (): unknown[] => server.asked.map((wish) => wish.state ?? "-");
  return { server, client, world, board, document: documentOf(board), said };
}

/** Creates a client that has joined the board with a subscriber. */
export async function followed(doc: Doc = FIRST, options: Partial<BaseOptions> = {}) {
  const all = onBoard(doc, options);
  const heard: unknown[] = [];
  const off = onChange(all.document, (now) => heard.push(now?.title));
  await settle();
  heard.length = 0;
  return { ...all, heard, off };
}

/** A handler that runs until the test releases it. */
export function slow() {
  let release = (): void => undefined;
  const handler = (): Promise<void> => new Promise((resolve) => (release = resolve));
  return { handler, release: () => (release(), settle()) };
}
