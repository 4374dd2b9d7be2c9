import { randomUUID } from "node:crypto";
import { createServer } from "@holdfast/server";
import { board } from "./board-protocol.js";

/** Stands for a table of a database. */
const rows = new Map<string, { state: { title: string; cards: never[] }; version: number }>();

export const server = createServer(board, {
  state: {
    board: {
      load: ({ key }) => rows.get(key!) ?? { state: { title: "New board", cards: [] } },
      save({ key, state, version }) {
        if (!state) rows.delete(key!);
        else if (version > (rows.get(key!)?.version ?? 0)) rows.set(key!, { state: state as never, version });
      },
    },
  },
});

server.handle("card.add", async ({ input }) => {
  await server.channel("board", input.board).state.update((draft) => {
    draft.cards.push({ id: randomUUID(), text: input.text, addedAt: new Date() });
  });
});
