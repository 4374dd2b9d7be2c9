import { describe, expect, test, vi } from "vitest";
import { boards, boardServer, type Doc } from "../test/support/board.js";
import { settle, testClientOf, withFakeTime } from "../test/support/test-client.js";
import { state } from "./state.js";

withFakeTime();

const FIRST: Doc = {
  data: {
    title: "First",
    cards: [
      { id: "a", text: "A" },
      { id: "b", text: "B" },
    ],
  },
  version: 3,
};

function onBoard(doc: Doc = FIRST) {
  const server = boardServer("board:b", doc);
  const { client, world } = testClientOf(boards, server.behaviour);
  const board = client.channel("board", "b");
  return { server, client, world, board };
}

describe("A document, at the client", () => {
  test("[SC1] Subscribing joins the channel; the document comes behind the answer, and changes are told", async () => {
    const { server, board } = onBoard();
    const document = state(board);
    const heard = vi.fn();
    expect(document.get()).toBeUndefined();
    const off = document.subscribe(heard);
    await settle();
    expect(document.get()).toEqual(FIRST.data);
    const first = document.get();
    expect(heard).toHaveBeenCalledExactlyOnceWith(first, undefined);
    server.patch([{ op: "replace", path: ["title"], value: "Second" }]);
    expect(document.get()).toEqual({ ...(FIRST.data as object), title: "Second" });
    expect(heard).toHaveBeenLastCalledWith(document.get(), first);
    expect(document.get()!.cards).toBe(first!.cards);
    off();
    expect(document.get()).toBeUndefined();
    expect(heard).toHaveBeenCalledTimes(2);
  });
});
