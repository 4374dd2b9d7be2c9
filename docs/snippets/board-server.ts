import { randomUUID } from "node:crypto";
import type { DocumentOf } from "@holdfast/protocol";
import { createServer, isHoldfastError } from "@holdfast/server";
import { board } from "./board-protocol.js";

type Board = DocumentOf<typeof board.definition, "board">;

/**
 * Stands in for a database table. The row of a deleted board keeps its version, so that a late save
 * cannot restore the board.
 */
const rows = new Map<string, { document: Board | undefined; version: number }>();

export const server = createServer(board, {
  documents: {
    board: {
      load: ({ key }) => rows.get(key!),
      save({ key, document, version }) {
        if (version > (rows.get(key!)?.version ?? 0)) rows.set(key!, { document, version });
      },
    },
  },
});

server.handle("board.create", async ({ input }) => {
  const id = randomUUID();
  await server.channel("board", id).document.set({ title: input.title, cards: [] });
  return { id };
});

server.handle("card.add", async ({ input, error }) => {
  const card = { id: randomUUID(), text: input.text, addedAt: new Date().toISOString() };
  try {
    await server.channel("board", input.board).document.update((draft) => void draft.cards.push(card));
  } catch (failure) {
    if (isHoldfastError(failure) && failure.code === "DOCUMENT_NOT_FOUND")
      throw error("NO_BOARD", { board: input.board });
    throw failure;
  }
});
