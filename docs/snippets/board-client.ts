import { createClient, documentOf } from "@holdfast/client";
import { board } from "./board-protocol.js";

export function showBoard(url: string, id: string, draw: (lines: string[]) => void): () => void {
  const client = createClient(board, { url });
  const document = documentOf(client.channel("board", id));
  const stop = document.subscribe((now, before) => {
    // Unchanged parts keep their identity, so this list is the same object if only the title has
    // changed.
    if (now?.cards !== before?.cards) draw(now?.cards.map(({ text }) => text) ?? []);
  });
  return () => {
    stop();
    client.disconnect();
  };
}
