import { describe, expect, test } from "vitest";
import { onChange } from "../test/support/changes.js";
import { boards, boardServer, type Doc } from "../test/support/board.js";
import { pass, settle, testClientOf, withFakeTime } from "../test/support/test-client.js";
import { documentOf } from "./document.js";

withFakeTime();

const FIRST: Doc = { data: { title: "First", cards: [] }, version: 3 };
const NONE: Doc = { data: undefined, version: 0 };
const title = (value: string) => [{ op: "replace" as const, path: ["title"], value }];

function onBoard(doc: Doc) {
  const server = boardServer("board:b", doc);
  const { client } = testClientOf(boards, server.behaviour);
  return { server, ...handleOf(client) };

  function handleOf({ channel }: typeof client) {
    const handle = () => {
      const board = channel("board", "b");
      const document = documentOf(board);
      /** Records each status of the handle together with the document at that time. */
      const seen: unknown[] = [];
      onChange(board.status, ({ name }) => seen.push([name, document.get()?.title]));
      return { board, document, seen };
    };
    return { ...handle(), handle };
  }
}

/** A handler of `moved` that runs until the test releases it. */
function busy(board: ReturnType<typeof onBoard>["board"]) {
  let release = (): void => undefined;
  board.on("moved", () => new Promise<void>((resolve) => (release = resolve)));
  return () => (release(), settle());
}

describe("The status of a channel with a document", () => {
  test.each([
    ["the document", FIRST, "First"],
    ["the message that there is no document", NONE, undefined],
  ])("[SC17] is `subscribed` after %s", async (_, doc, expected) => {
    const { document, seen } = onBoard(doc);
    document.subscribe(() => undefined);
    await settle();
    expect(seen).toEqual([
      ["pending", undefined],
      ["subscribed", expected],
    ]);
  });

  test("[SC17] is `subscribed`, and `join()` resolves, when the document has arrived and not at the answer, even without a listener", async () => {
    const { server, board } = onBoard(FIRST);
    const { received } = server.behaviour;
    let later = (): void => undefined;
    server.behaviour.received = (attempt, message) => {
      if (message.type !== "subscribe") return received?.(attempt, message);
      const receive = attempt.receive.bind(attempt);
      attempt.receive = (each) => {
        if (typeof each === "object" && "type" in each && each.type === "state_sync") later = () => receive(each);
        else receive(each);
      };
      received?.(attempt, message);
    };
    let isReady = false;
    void board.join().then(() => (isReady = true));
    await settle();
    expect([board.status.get().name, isReady]).toEqual(["pending", false]);
    later();
    await settle();
    expect([board.status.get().name, isReady]).toEqual(["subscribed", true]);
  });

  test("[SC17] is `subscribed` at the answer if the client still holds the document after a drop, even while a handler is running", async () => {
    const { server, board, document, seen } = onBoard(FIRST);
    document.subscribe(() => undefined);
    const release = busy(board);
    await settle();
    server.move(1);
    server.cut();
    await pass(5_000);
    expect(server.asked.at(-1)).toMatchObject({ state: "held" });
    expect(seen.slice(2)).toEqual([
      ["pending", "First"],
      ["subscribed", "First"],
    ]);
    await release();
  });

  test("[SC17] is `subscribed` after the new document if the server sends the document again, and after the handlers that the document waits for", async () => {
    const { server, board, document, seen } = onBoard(FIRST);
    document.subscribe(() => undefined);
    const release = busy(board);
    await settle();
    server.move(1);
    server.cut();
    server.begin({ data: { title: "Other", cards: [] }, version: 1 });
    await pass(5_000);
    expect(seen.slice(2)).toEqual([["pending", "First"]]);
    await release();
    expect(seen.slice(3)).toEqual([["subscribed", "Other"]]);
  });

  test("[SC17] is not `subscribed` because of an earlier connection's document that a handler has delayed", async () => {
    const { server, board, document, seen } = onBoard(FIRST);
    document.subscribe(() => undefined);
    const release = busy(board);
    await settle();
    server.move(1);
    server.reset({ data: { title: "Other", cards: [] }, version: 1 });
    server.hold(true);
    server.cut();
    await pass(5_000);
    await release();
    expect(document.get()?.title).toBe("Other");
    expect(board.status.get().name).toBe("pending");
    server.hold(false);
    await settle();
    expect(seen.at(-1)).toEqual(["subscribed", "Other"]);
  });

  test("[SC17] stays `subscribed` while the document changes, even if the client requests the document again because an update does not fit", async () => {
    const { server, document, seen } = onBoard(FIRST);
    document.subscribe(() => undefined);
    await settle();
    server.patch(title("2"));
    server.patch(title("3"), { version: 9 });
    await settle();
    expect(document.get()?.title).toBe("3");
    expect(seen).toHaveLength(2);
  });

  test("[SC18] is `pending` until the document arrives for a handle that begins to listen to the document, and for no other handle", async () => {
    const { board, document, seen, handle } = onBoard(FIRST);
    const other = handle();
    other.board.on("moved", () => undefined);
    await board.join();
    seen.length = other.seen.length = 0;
    document.subscribe(() => undefined);
    await board.join();
    expect(seen).toEqual([
      ["pending", undefined],
      ["subscribed", "First"],
    ]);
    expect(other.seen).toEqual([]);
    other.document.subscribe(() => undefined);
    expect([other.board.status.get().name, other.document.get()?.title]).toEqual(["subscribed", "First"]);
  });

  test("[SC18] is `subscribed` again for a handle that stops listening before the document has arrived", async () => {
    const { board, document, seen } = onBoard(NONE);
    await board.join();
    document.subscribe(() => undefined)();
    await settle();
    expect(seen.at(-1)).toEqual(["subscribed", undefined]);
    expect(board.status.get().name).toBe("subscribed");
  });
});
