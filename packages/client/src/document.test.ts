import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod/mini";
import { describe, expect, test, vi } from "vitest";
import { onChange } from "../test/support/changes.js";
import { boards, boardServer } from "../test/support/board.js";
import { agents } from "../test/support/agents.js";
import { pass, settle, testClient, testClientOf, withFakeTime } from "../test/support/test-client.js";
import { documentOf } from "./document.js";
import { CARDS, FIRST, titled, title, onBoard, followed, slow } from "../test/support/board-client.js";

withFakeTime();

describe("A document", () => {
  test("[SC1] subscribe() joins the channel, delivers the document that follows the answer, and then each change", async () => {
    const { server, board, document, said } = onBoard();
    const heard = vi.fn();
    expect(document.get()).toBeUndefined();
    const off = onChange(document, heard);
    expect(board.status.get().name).toBe("pending");
    await settle();
    expect(document.get()).toEqual(FIRST.data);
    const first = document.get();
    expect(heard).toHaveBeenCalledExactlyOnceWith(first, undefined);
    server.patch(title("Second"));
    expect(document.get()).toEqual(titled("Second"));
    expect(heard).toHaveBeenLastCalledWith(document.get(), first);
    off();
    off();
    expect(document.get()).toBeUndefined();
    expect(heard).toHaveBeenCalledTimes(2);
    await settle();
    expect(board.status.get().name).toBe("idle");
    expect(said()).toEqual(["-"]);
  });

  test("[CN27] subscribe() calls the listener at once, with the document if the client has the document, and reports an error of that call", async () => {
    const { world, client, document } = await followed();
    const first = document.get();
    const heard = vi.fn();
    document.subscribe(heard);
    expect(heard).toHaveBeenCalledExactlyOnceWith(first, undefined);
    documentOf(client.channel("board", "b")).subscribe((now) => {
      expect(now).toBe(first);
      throw new Error("a bug");
    });
    documentOf(client.channel("board", "c")).subscribe(heard);
    expect(heard).toHaveBeenLastCalledWith(undefined, undefined);
    documentOf(client.channel("board", "b")).subscribe(() => Promise.reject(new Error("another")) as never);
    await settle();
    const context = { source: "handler", channel: "board:b", event: "$state_update" };
    expect(world.errors).toMatchObject([
      { error: { code: "HANDLER_FAILED", message: expect.stringContaining("a bug") }, context },
      { error: { code: "HANDLER_FAILED", message: expect.stringContaining("another") }, context },
    ]);
    expect(heard).toHaveBeenCalledTimes(2);
  });

  test("[CN27] the first call may leave the channel or add a listener, and each listener receives each change once", async () => {
    const { server, board, document } = await followed();
    const heard: unknown[] = [];
    document.subscribe((now, before) => {
      heard.push(["one", now?.title, before?.title]);
      if (heard.length === 1) document.subscribe((next) => heard.push(["two", next?.title]));
    });
    server.patch(title("2"));
    document.subscribe((now, before) => {
      heard.push(["three", now?.title, before?.title]);
      if (now) board.leave();
    });
    expect(heard).toEqual([
      ["one", "First", undefined],
      ["two", "First"],
      ["one", "2", "First"],
      ["two", "2"],
      ["three", "2", undefined],
      ["one", undefined, "2"],
      ["two", undefined],
      ["three", undefined, "2"],
    ]);
    await settle();
    expect(document.get()).toBeUndefined();
  });

  test("[SC1] is undefined until the document is created on the server", async () => {
    const { server, document, heard } = await followed({ data: undefined, version: 0 });
    expect(document.get()).toBeUndefined();
    expect(heard).toEqual([]);
    server.patch([{ op: "add", path: [], value: titled("Made") }]);
    expect(document.get()).toEqual(titled("Made"));
    server.patch([{ op: "remove", path: [] }]);
    expect(document.get()).toBeUndefined();
    expect(heard).toEqual(["Made", undefined]);
  });

  test("[SC1] changes and events take effect in order, even while a handler is running", async () => {
    const { server, board, document, heard } = await followed();
    const busy = slow();
    board.on("moved", busy.handler);
    board.on("moved", (step) => heard.push([step, document.get()?.title]));
    server.patch(title("2"));
    server.move(1);
    server.patch(title("3"));
    server.move(2);
    expect(heard).toEqual(["2", [1, "2"]]);
    await busy.release();
    expect(heard).toEqual(["2", [1, "2"], "3", [2, "3"]]);
    await busy.release();
  });

  test("[RS22] if changes were dropped because a handler was busy, the document equals the server's when the handler has finished", async () => {
    const { server, board, document, heard } = await followed();
    const busy = slow();
    board.on("moved", busy.handler);
    server.move(1);
    for (let index = 0; index < 30; index++) server.patch(title(`${index} ${"x".repeat(100_000)}`));
    expect(document.get()).toEqual(FIRST.data);
    await busy.release();
    await settle();
    expect(document.get()).toEqual(server.document.data);
    server.patch(title("Last"));
    expect(heard.at(-1)).toBe("Last");
    expect(server.asked.at(-1)).not.toHaveProperty("state");
  });

  test("[SC1] every listener of every handle receives each change once", async () => {
    const { server, client, document, heard, off } = await followed();
    const other = documentOf(client.channel("board", "b"));
    const theirs = vi.fn();
    onChange(other, theirs);
    onChange(other, theirs);
    expect(other.get()).toBe(document.get());
    server.patch(title("Second"));
    expect(theirs).toHaveBeenCalledTimes(2);
    expect(heard).toEqual(["Second"]);
    off();
    server.patch(title("Third"));
    expect(theirs).toHaveBeenCalledTimes(4);
    expect([document.get(), other.get()?.title]).toEqual([undefined, "Third"]);
  });

  test("[SC1] on a channel without document listeners, updates still advance the position", async () => {
    const { server, world, board, said } = onBoard();
    const moved = vi.fn();
    board.on("moved", moved);
    await settle();
    server.patch(title("Second"));
    server.move(1);
    expect(moved).toHaveBeenCalledExactlyOnceWith(1, { id: expect.any(String), replayed: false });
    server.cut();
    server.patch(title("Third"), { isSent: false });
    await pass(5_000);
    server.move(2);
    expect(moved).toHaveBeenCalledTimes(2);
    expect(said()).toEqual(["-", "-"]);
    expect(server.asked[1]!.position).toMatchObject({ offset: 2 });
    expect(world.errors).toEqual([]);
  });
});

describe("Unchanged parts", () => {
  test("[SC2] stay the same objects if a patch replaces a part with an equal value, and listeners are not called", async () => {
    const { server, document, heard } = await followed();
    const before = document.get()!;
    server.patch([{ op: "replace", path: [], value: structuredClone(FIRST.data) }]);
    expect(document.get()).toBe(before);
    server.patch([{ op: "replace", path: ["cards", 0, "text"], value: "Changed" }]);
    expect(document.get()!.cards[1]).toBe(before.cards[1]);
    expect(document.get()!.cards[0]).not.toBe(before.cards[0]);
    expect(heard).toEqual(["First"]);
  });

  test("[SC2] stay the same objects if the server sends the whole document after a reconnect", async () => {
    const { server, document, heard } = await followed();
    const before = document.get()!;
    server.patches(false);
    server.cut();
    server.patch([{ op: "add", path: ["cards", 2], value: { id: "c", text: "C" } }], { isSent: false });
    await pass(5_000);
    expect(document.get()!.cards).toHaveLength(3);
    expect(document.get()!.cards[0]).toBe(before.cards[0]);
    expect(heard).toEqual(["First"]);
  });

  test("[SC2] stay the same objects if an item with an id moves in its list", async () => {
    const { server, document } = await followed();
    const [a, b] = document.get()!.cards;
    server.patch([{ op: "add", path: ["cards", 0], value: { id: "z", text: "Z" } }]);
    expect(document.get()!.cards[1]).toBe(a);
    expect(document.get()!.cards[2]).toBe(b);
    const z = document.get()!.cards[0];
    server.patch([{ op: "replace", path: ["cards"], value: [CARDS[1], { id: "z", text: "Z" }] }]);
    expect(document.get()!.cards).toHaveLength(2);
    expect(document.get()!.cards[0]).toBe(b);
    expect(document.get()!.cards[1]).toBe(z);
  });

  test("[SC2] rich values are restored, and equal values stay the same objects", async () => {
    const due = new Date(5_000);
    const { server, document } = await followed({
      data: { ...titled("Rich"), seen: [["ada", { at: due.toISOString() }]] },
      meta: { values: { seen: ["map", { "1.at": ["Date"], "0.1.at": ["Date"] }] } },
      version: 1,
    });
    expect(document.get()).toBeUndefined(); // the annotations name what is not there
    server.patch([{ op: "replace", path: ["seen", 0, 1, "at"], value: due.toISOString() }], {
      meta: { values: { seen: ["map", { "0.1.at": ["Date"] }] } },
    });
    const before = document.get()!;
    expect(before.seen).toEqual(new Map([["ada", { at: due }]]));
    server.patch(title("Richer"));
    expect(document.get()!.title).toBe("Richer");
    expect(document.get()!.seen).toBe(before.seen);
    server.patch([{ op: "remove", path: ["seen"] }], { meta: {} });
    expect(document.get()).toEqual(titled("Richer"));
  });
});

describe("The application's view of a document", () => {
  test("[SC9] a document that does not match the schema is reported; the last document stays until a document matches again", async () => {
    const { server, world, document, heard, said } = await followed();
    server.patch([{ op: "replace", path: ["title"], value: 5 }]);
    expect(document.get()).toEqual(FIRST.data);
    expect(world.errors).toMatchObject([
      { error: { code: "BAD_MESSAGE", field: "document.title" }, context: { source: "document", channel: "board:b" } },
    ]);
    server.patch([{ op: "replace", path: ["cards"], value: [] }]);
    server.patch(title("Well"));
    expect(document.get()).toEqual({ title: "Well", cards: [] });
    expect(heard).toEqual(["Well"]);
    expect(said()).toEqual(["-"]);
  });

  test("[SC10] a listener that throws is reported and does not affect other listeners", async () => {
    const { server, world, document, heard } = await followed();
    onChange(document, () => {
      throw new Error("no");
    });
    onChange(document, (now) => heard.push(now?.title));
    server.patch(title("2"));
    expect(heard).toEqual(["2", "2"]);
    expect(world.errors).toMatchObject([{ error: { code: "HANDLER_FAILED" }, context: { source: "handler" } }]);
  });

  test("[SC10] a listener that rejects is reported, and no change waits for it", async () => {
    const { server, world, document, heard } = await followed();
    onChange(document, async (now) => {
      await pause;
      throw new Error(`no ${now?.title}`);
    });
    onChange(document, (now) => heard.push(now?.title));
    let release = (): void => undefined;
    const pause = new Promise<void>((resolve) => (release = resolve));
    server.patch(title("2"));
    server.patch(title("3"));
    expect(heard).toEqual(["2", "2", "3", "3"]);
    release();
    await settle();
    const rejected = (value: string) => ({
      error: { code: "HANDLER_FAILED", cause: { message: `no ${value}` } },
      context: { source: "handler", channel: "board:b" },
    });
    expect(world.errors).toMatchObject([rejected("2"), rejected("3")]);
  });

  test("[SC10] a listener that throws or rejects when the channel is left is reported in the same way", async () => {
    const { world, board, document } = await followed();
    onChange(document, () => {
      throw new Error("no");
    });
    onChange(document, () => Promise.reject(new Error("never")));
    board.leave();
    await settle();
    const failed = { error: { code: "HANDLER_FAILED" }, context: { source: "handler", channel: "board:b" } };
    expect(world.errors).toMatchObject([failed, failed]);
  });

  test("[SC11] the whole document is frozen, even if the schema accepts any value", async () => {
    const server = boardServer("loose", { data: { a: { b: [1] } }, version: 1 });
    const { client } = testClientOf(boards, server.behaviour);
    const document = documentOf(client.channel("loose"));
    document.subscribe(() => undefined);
    await settle();
    const { a } = document.get() as { a: { b: number[] } };
    expect([document.get(), a, a.b].every(Object.isFrozen)).toBe(true);
    server.patch([{ op: "add", path: ["a", "b", 1], value: { c: 1 } }]);
    server.patch([{ op: "add", path: ["a", "b", 1, "c"], value: 2 }]);
    expect(document.get()).toEqual({ a: { b: [1, { c: 2 }] } });
    expect(a.b).toEqual([1]);
  });

  test("[SC11] values that the schema fills in are not frozen", async () => {
    const parsed = z.object({
      title: z.string(),
      more: z._default(z.object({ tags: z.array(z.string()) }), { tags: [] }),
    });
    const newer = defineProtocol({ name: "boards", version: "1.1.0", channels: { loose: { document: parsed } } });
    const server = boardServer("loose", { data: { title: "First" }, version: 1 });
    const { client } = testClientOf(newer, server.behaviour);
    const document = documentOf(client.channel("loose"));
    document.subscribe(() => undefined);
    await settle();
    const before = document.get()!;
    expect(Object.isFrozen(before.more.tags)).toBe(true);
    server.patch([{ op: "replace", path: ["title"], value: "Second" }]);
    expect(document.get()!.more).toBe(before.more);
    const own = z.parse(parsed, { title: "Mine" });
    expect(Object.isFrozen(own.more.tags)).toBe(false);
  });

  test("[SC12] documentOf returns the same object for the same handle, and throws for a handle without a document", () => {
    const { client, board, document } = onBoard();
    expect(documentOf(board)).toBe(document);
    expect(documentOf(client.channel("board", "b"))).not.toBe(document);
    const { client: other } = testClient();
    for (const none of [client.channel("news"), other.channel("journal"), {}, undefined, agents])
      expect(() => documentOf(none as never)).toThrow(
        expect.objectContaining({ code: "INVALID_VALUE", field: "channel" }),
      );
  });

  test("[SC16] another copy of the package that receives the same handle also has the document", async () => {
    const { server, board, document, said } = await followed();
    vi.resetModules();
    const { documentOf: otherDocumentOf } = await import("./document.js");
    expect(otherDocumentOf).not.toBe(documentOf);
    const other = otherDocumentOf(board);
    expect(other.get()).toBeUndefined();
    const theirs = vi.fn();
    const off = onChange(other, theirs);
    await settle();
    server.patch(title("2"));
    expect(other.get()).toEqual(titled("2"));
    off();
    await settle();
    server.patch(title("3"));
    expect([other.get(), document.get()?.title]).toEqual([undefined, "3"]);
    expect(theirs).toHaveBeenCalledTimes(2);
    expect(said()).toEqual(["-", "-"]);
  });
});
