import { describe, expect, test } from "vitest";
import { onChange } from "../test/support/changes.js";
import { pass, settle, withFakeTime } from "../test/support/test-client.js";
import { documentOf } from "./document.js";
import { title, onBoard, followed, slow } from "../test/support/board-client.js";

withFakeTime();

describe("The end of a document", () => {
  test("[SC4] leave() makes the document undefined and notifies the listeners of the handle; another handle keeps the document", async () => {
    const { server, client, board, document, heard } = await followed();
    const other = documentOf(client.channel("board", "b"));
    other.subscribe(() => undefined);
    board.leave();
    expect(document.get()).toBeUndefined();
    expect(heard).toEqual([undefined]);
    server.patch(title("2"));
    expect(heard).toEqual([undefined]);
    expect(other.get()?.title).toBe("2");
  });

  test("[SC4] a deleted document ends the channel with STATE_DELETED and the reason, until the channel is left and joined again", async () => {
    const { server, board, document, heard } = await followed();
    server.delete("SESSION_DELETED");
    expect(document.get()).toBeUndefined();
    expect(heard).toEqual([undefined]);
    const refused = { name: "refused", error: { code: "STATE_DELETED", message: "SESSION_DELETED" } };
    expect(board.status.get()).toMatchObject(refused);
    expect(board.status.get()).toHaveProperty("error.remedy", expect.any(String));
    await settle();
    expect(server.asked).toHaveLength(1);
    board.leave();
    server.refuse(undefined);
    onChange(document, (now) => heard.push(now?.title));
    await settle();
    expect(heard).toEqual([undefined, "First"]);
  });

  test("[SC4] if the channel is joined again after the deletion, the other handles of the channel also receive the new document", async () => {
    const { server, client, board, document, heard } = await followed();
    const other = documentOf(client.channel("board", "b"));
    const told: unknown[] = [];
    onChange(other, (now) => told.push(now?.title));
    client.channel("board", "b").on("moved", () => undefined);
    server.delete("GONE");
    board.leave();
    server.refuse(undefined);
    await settle();
    expect(other.get()).toBeUndefined();
    onChange(document, (now) => heard.push(now?.title));
    await settle();
    expect([document.get()?.title, other.get()?.title]).toEqual(["First", "First"]);
    expect([heard, told]).toEqual([
      [undefined, "First"],
      [undefined, "First"],
    ]);
  });

  test("[SC4] a channel whose document was deleted is refused in the same way after a drop", async () => {
    const { server, board, document, heard, said } = await followed();
    server.cut();
    server.delete("GONE");
    await pass(5_000);
    expect(board.status.get()).toMatchObject({ name: "refused", error: { code: "STATE_DELETED", message: "GONE" } });
    expect(document.get()).toBeUndefined();
    server.refuse(undefined);
    server.cut();
    await pass(5_000);
    expect(said()).toEqual(["-", "held", "-"]);
    expect(heard).toEqual([undefined, "First"]);
  });

  test("[SC4] changes that wait for a slow handler when the channel is refused are not delivered", async () => {
    const { server, board, document, heard, said } = await followed();
    const busy = slow();
    board.on("moved", busy.handler);
    server.move(1);
    server.patch(title("2"));
    server.live(server.sync());
    server.delete("GONE");
    await busy.release();
    expect(document.get()).toBeUndefined();
    expect(heard).toEqual([undefined]);
    // The next join does not deliver the old changes either.
    server.refuse(undefined);
    server.hold(true);
    server.cut();
    await pass(5_000);
    expect(board.status.get().name).toBe("pending");
    expect(document.get()).toBeUndefined();
    expect(said()).toEqual(["-", "-"]);
  });
});

describe("A listener that is notified of the end", () => {
  test("[SC4] before the document's listeners finds no document if the channel is refused, not even through a handle that it creates", async () => {
    const { server, client, board, document } = onBoard();
    const seen: unknown[] = [];
    onChange(board.status, ({ name }) => {
      if (name !== "refused") return;
      const own = documentOf(client.channel("board", "b"));
      onChange(own, (now) => seen.push(["told", now]));
      seen.push(document.get(), own.get());
    });
    document.subscribe(() => undefined);
    documentOf(client.channel("board", "b")).subscribe(() => undefined);
    await settle();
    server.delete("GONE");
    await settle();
    expect(seen).toEqual([undefined, undefined]);
  });

  test("[SC15] may join again: the earlier listeners receive the end and nothing after it", async () => {
    const { server, client, board, document } = onBoard();
    const heard: unknown[] = [];
    let isAgain = false;
    onChange(document, (now) => {
      if (now !== undefined || isAgain) return;
      isAgain = true;
      onChange(document, (next) => heard.push(["again", next?.title]));
    });
    onChange(document, (now) => heard.push(now?.title));
    // Another handle keeps the document, so the document is available at once for the handle that
    // joins again.
    documentOf(client.channel("board", "b")).subscribe(() => undefined);
    await settle();
    board.leave();
    expect(heard).toEqual(["First", undefined]);
    await settle();
    server.patch(title("2"));
    expect(heard).toEqual(["First", undefined, ["again", "2"]]);
  });

  test.each([["its events"], ["its document"]])(
    "[SC15] may join again from a status listener, through %s",
    async (what) => {
      const { server, board, document } = onBoard();
      const heard: unknown[] = [];
      let isAgain = false;
      onChange(board.status, ({ name }) => {
        if (name !== "idle" || isAgain) return;
        isAgain = true;
        if (what === "its events") board.on("moved", () => undefined);
        else onChange(document, (now) => heard.push(["again", now?.title]));
      });
      onChange(document, (now) => heard.push(now?.title));
      await settle();
      board.leave();
      await settle();
      server.patch(title("2"));
      const again = ["First", "2"].map((each) => ["again", each]);
      expect(heard).toEqual(["First", undefined, ...(what === "its document" ? again : [])]);
    },
  );

  test("[SC15] may throw, and nothing is left behind", async () => {
    const { server, client, board, document, said } = await followed();
    client.channel("board", "b").on("moved", () => undefined);
    onChange(document, (now) => {
      if (!now) throw new Error("no");
    });
    board.leave();
    server.cut();
    await pass(5_000);
    expect(said()).toEqual(["-", "-"]);
  });
});
