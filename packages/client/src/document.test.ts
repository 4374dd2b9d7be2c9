import { defineProtocol, type ServerMessage } from "@holdfast/protocol";
import * as z from "zod/mini";
import { describe, expect, test, vi } from "vitest";
import { onChange } from "../test/support/changes.js";
import { boards, boardServer, type Doc } from "../test/support/board.js";
import { agents } from "../test/support/agents.js";
import type { BaseOptions } from "./options.js";
import { pass, settle, testClient, testClientOf, withFakeTime } from "../test/support/test-client.js";
import { keepPositions } from "./keep-positions.js";
import { documentOf } from "./document.js";

withFakeTime();

const CARDS = [
  { id: "a", text: "A" },
  { id: "b", text: "B" },
];
const FIRST: Doc = { data: { title: "First", cards: CARDS }, version: 3 };
const titled = (title: string) => ({ title, cards: CARDS });
const title = (value: string) => [{ op: "replace" as const, path: ["title"], value }];

function onBoard(doc: Doc = FIRST, options: Partial<BaseOptions> = {}) {
  const server = boardServer("board:b", doc);
  const { client, world } = testClientOf(boards, server.behaviour, options);
  const board = client.channel("board", "b");
  /** What was said of the document in each `subscribe`. */
  const said = (): unknown[] => server.asked.map((wish) => wish.state ?? "-");
  return { server, client, world, board, document: documentOf(board), said };
}

/** With a listener, and joined. */
async function followed(doc: Doc = FIRST, options: Partial<BaseOptions> = {}) {
  const all = onBoard(doc, options);
  const heard: unknown[] = [];
  const off = onChange(all.document, (now) => heard.push(now?.title));
  await settle();
  heard.length = 0;
  return { ...all, heard, off };
}

/** A handler that is busy until it is let go. */
function slow() {
  let release = (): void => undefined;
  const handler = (): Promise<void> => new Promise((resolve) => (release = resolve));
  return { handler, release: () => (release(), settle()) };
}

describe("A document", () => {
  test("[SC1] Subscribing joins the channel; the document comes behind the answer, and changes are told", async () => {
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

  test("[CN27] Subscribing calls the listener at once, with the document if it is there, and what that call throws is reported", async () => {
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

  test("[CN27] The first call may leave the channel or add a listener: each hears each change once", async () => {
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

  test("[SC1] Where there is none yet it is undefined until it is made", async () => {
    const { server, document, heard } = await followed({ data: undefined, version: 0 });
    expect(document.get()).toBeUndefined();
    expect(heard).toEqual([]);
    server.patch([{ op: "add", path: [], value: titled("Made") }]);
    expect(document.get()).toEqual(titled("Made"));
    server.patch([{ op: "remove", path: [] }]);
    expect(document.get()).toBeUndefined();
    expect(heard).toEqual(["Made", undefined]);
  });

  test("[SC1] Changes and events take effect in their order, also while a handler is busy", async () => {
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

  test("[RS22] A document whose changes were dropped behind a busy handler is the server's again when that has finished", async () => {
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

  test("[SC1] Every listener of every handle is told each change once", async () => {
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

  test("[SC1] A channel without listeners of its document follows the chain all the same", async () => {
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

describe("What did not change", () => {
  test("[SC2] is the same object, also over patches that replace it by its like, and whoever listens is not told", async () => {
    const { server, document, heard } = await followed();
    const before = document.get()!;
    server.patch([{ op: "replace", path: [], value: structuredClone(FIRST.data) }]);
    expect(document.get()).toBe(before);
    server.patch([{ op: "replace", path: ["cards", 0, "text"], value: "Changed" }]);
    expect(document.get()!.cards[1]).toBe(before.cards[1]);
    expect(document.get()!.cards[0]).not.toBe(before.cards[0]);
    expect(heard).toEqual(["First"]);
  });

  test("[SC2] stays the same over a reconnect whose answer is the document", async () => {
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

  test("[SC2] is the same where it has moved in its list, and has an id", async () => {
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

  test("[SC2] Rich values are restored, and the same where they are equal", async () => {
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

describe("After a drop", () => {
  test("[SC3] the last document stays, the client says that it holds it, and what was missed comes as patches", async () => {
    const { server, document, heard, said } = await followed();
    server.patch(title("2"));
    server.cut();
    server.patch(title("3"), { isSent: false });
    server.patch(title("4"), { isSent: false });
    expect(document.get()?.title).toBe("2");
    await pass(5_000);
    expect(heard).toEqual(["2", "3", "4"]);
    expect(said()).toEqual(["-", "held"]);
    expect(server.asked[1]!.position).toMatchObject({ offset: 1 });
    server.patch(title("5"));
    expect(document.get()?.title).toBe("5");
  });

  test("[SC3] or as the document, where the patches would be more", async () => {
    const { server, document, heard, said } = await followed();
    server.patches(false);
    server.cut();
    server.patch(title("2"), { isSent: false });
    server.patch(title("3"), { isSent: false });
    await pass(5_000);
    expect(heard).toEqual(["3"]);
    server.patch(title("4"));
    expect(document.get()?.title).toBe("4");
    expect(said()).toEqual(["-", "held"]);
  });

  test("[SC3] what waits behind a slow handler counts as held, since it will be applied", async () => {
    const { server, board, document, heard, said } = await followed();
    const busy = slow();
    board.on("moved", busy.handler);
    server.move(1);
    server.patch(title("2"));
    server.cut();
    server.patch(title("3"), { isSent: false });
    await pass(5_000);
    expect(said()).toEqual(["-", "held"]);
    expect(document.get()?.title).toBe("First");
    await busy.release();
    expect(heard).toEqual(["2", "3"]);
  });

  test("[SC3] nothing is held when the connection drops between updates without patches and their document", async () => {
    const { server, world, board, heard, said } = await followed();
    const busy = slow();
    board.on("moved", busy.handler);
    server.move(1);
    server.patch(title("2"), { patches: [] });
    world.sockets.last.end();
    await pass(5_000);
    expect(said()).toEqual(["-", "-"]);
    await busy.release();
    expect(heard).toEqual(["2"]);
  });

  test("[SC3] An event that was lost is made up for, and the document is held meanwhile", async () => {
    const { server, heard, said } = await followed();
    server.patch(title("2"), { isSent: false });
    server.patch(title("3"));
    await settle();
    expect(heard).toEqual(["2", "3"]);
    expect(said()).toEqual(["-", "held"]);
  });
});

describe("The end of it", () => {
  test("[SC4] leave() makes it undefined and tells the listeners of the handle; another handle keeps it", async () => {
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

  test("[SC4] A document that is deleted ends the channel with STATE_DELETED and the reason, until it is asked for again", async () => {
    const { server, board, document, heard } = await followed();
    server.delete("SESSION_DELETED");
    expect(document.get()).toBeUndefined();
    expect(heard).toEqual([undefined]);
    const refused = { name: "refused", error: { code: "STATE_DELETED", message: "SESSION_DELETED" } };
    expect(board.status.get()).toMatchObject(refused);
    expect(board.status.get()).toHaveProperty("error.remedy", "None: it is gone.");
    await settle();
    expect(server.asked).toHaveLength(1);
    board.leave();
    server.refuse(undefined);
    onChange(document, (now) => heard.push(now?.title));
    await settle();
    expect(heard).toEqual([undefined, "First"]);
  });

  test("[SC4] Asked for again, it is there for the other handles of the channel as well", async () => {
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

  test("[SC4] A channel whose document was deleted is refused the same way, also after a drop", async () => {
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

  test("[SC4] What waits behind a slow handler when the channel is refused is not told any more", async () => {
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
    // Nor found when the channel is asked for again, and not refused any more: it is of before its
    // end.
    server.refuse(undefined);
    server.hold(true);
    server.cut();
    await pass(5_000);
    expect(board.status.get().name).toBe("pending");
    expect(document.get()).toBeUndefined();
    expect(said()).toEqual(["-", "-"]);
  });
});

describe("Whoever is told of the end", () => {
  test("[SC4] before the document's listeners are finds none where the channel is refused, also by a handle of their own", async () => {
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

  test("[SC15] may join again: the listeners from before are told of the end, and of nothing that follows", async () => {
    const { server, client, board, document } = onBoard();
    const heard: unknown[] = [];
    let isAgain = false;
    onChange(document, (now) => {
      if (now !== undefined || isAgain) return;
      isAgain = true;
      onChange(document, (next) => heard.push(["again", next?.title]));
    });
    onChange(document, (now) => heard.push(now?.title));
    // By another handle the document stays, so that it is there at once for whoever joins again.
    documentOf(client.channel("board", "b")).subscribe(() => undefined);
    await settle();
    board.leave();
    expect(heard).toEqual(["First", undefined]);
    await settle();
    server.patch(title("2"));
    expect(heard).toEqual(["First", undefined, ["again", "2"]]);
  });

  test.each([["its events"], ["its document"]])(
    "[SC15] may join again from a listener of the status, by %s",
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

  test("[SC15] may throw: nothing is left behind", async () => {
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

describe("Whoever comes later", () => {
  test("[SC5] has the document as well, asked for once", async () => {
    const { server, client, board, document, said } = onBoard();
    board.on("moved", () => undefined);
    await settle();
    server.patch(title("2"));
    const heard = vi.fn();
    onChange(document, heard);
    const late = documentOf(client.channel("board", "b"));
    late.subscribe(() => undefined);
    await settle();
    expect(heard).toHaveBeenCalledExactlyOnceWith(titled("2"), undefined);
    expect(late.get()).toBe(document.get());
    expect(said()).toEqual(["-", "-"]);
    expect(board.status.get().name).toBe("subscribed");
  });

  test("[SC5] while the channel is being joined need not ask again", async () => {
    const { server, board, document, said } = onBoard();
    server.hold(true);
    board.on("moved", () => undefined);
    await settle();
    document.subscribe(() => undefined);
    await settle();
    server.hold(false);
    await settle();
    expect(document.get()).toEqual(FIRST.data);
    expect(said()).toEqual(["-"]);
  });

  test("[SC5] asks again where the server was told that it is held, and those who held it are gone", async () => {
    const { server, board, document, off, said } = await followed();
    board.on("moved", () => undefined);
    server.cut();
    server.hold(true);
    await pass(5_000);
    expect(said()).toEqual(["-", "held"]);
    off();
    await settle();
    document.subscribe(() => undefined);
    expect(document.get()).toBeUndefined();
    server.hold(false);
    await settle();
    expect(document.get()).toEqual(FIRST.data);
    expect(said()).toEqual(["-", "held", "-"]);
  });

  test("[SC5] nothing is held when the last listener is gone", async () => {
    const { server, board, document, off, said } = await followed();
    board.on("moved", () => undefined);
    off();
    server.patch(title("2"));
    server.cut();
    await pass(5_000);
    expect(said()).toEqual(["-", "-"]);
    server.cut();
    document.subscribe(() => undefined);
    await pass(5_000);
    expect(said()).toEqual(["-", "-", "-"]);
    expect(document.get()?.title).toBe("2");
  });

  test("[SC5] Listeners that go and come in one turn find it there, and nothing is asked", async () => {
    const { server, board, document, heard, off, said } = await followed();
    const before = document.get();
    off();
    expect(document.get()).toBeUndefined();
    const again = onChange(document, (now) => heard.push(now?.title));
    expect(document.get()).toBe(before);
    again();
    onChange(document, (now) => heard.push(now?.title));
    await settle();
    expect(document.get()).toBe(before);
    server.patch(title("2"));
    expect(heard).toEqual(["2"]);
    expect(board.status.get().name).toBe("subscribed");
    expect(said()).toEqual(["-"]);
  });

  test("[SC5] A component that subscribes anew in each render, whatever its status, asks no more than one that does not", async () => {
    const { server, board, document, said } = onBoard();
    const rendered: unknown[] = [];
    let off = (): void => undefined;
    const render = (): void => {
      if (rendered.length > 50) throw new Error("renders for ever");
      const shown = document.get();
      const status = board.status.get();
      rendered.push([status.name, shown?.title]);
      off();
      const check = (): void => {
        if (document.get() !== shown || board.status.get() !== status) render();
      };
      const offs = [onChange(document, check), onChange(board.status, check)];
      off = () => offs.forEach((one) => one());
      check();
    };
    render();
    await settle();
    server.patch(title("2"));
    server.cut();
    await pass(5_000);
    server.delete("GONE");
    await pass(5_000);
    expect(rendered).toEqual([
      ["idle", undefined],
      ["pending", undefined],
      ["pending", "First"],
      ["subscribed", "First"],
      ["subscribed", "2"],
      ["pending", "2"],
      ["subscribed", "2"],
      ["refused", undefined],
    ]);
    expect(said()).toEqual(["-", "held"]);
    off();
    await settle();
    expect(board.status.get().name).toBe("idle");
  });

  test("[SC5] nothing is given up for a listener that went in the turn of `leave()`, and came again", async () => {
    const { server, board, document, heard, off, said } = await followed();
    off();
    board.leave();
    onChange(document, (now) => heard.push(now?.title));
    await settle();
    server.patch(title("2"));
    expect(heard).toEqual(["First", "2"]);
    expect(said()).toEqual(["-", "-"]);
  });

  test("[SC5] nothing is held by a position from an earlier life", async () => {
    const items = new Map<string, string>();
    const storage = {
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => void items.set(key, value),
    };
    const server = boardServer("board:b", FIRST);
    const live = async (): Promise<unknown> => {
      const { client } = testClientOf(boards, server.behaviour, { positions: keepPositions(storage) });
      const document = documentOf(client.channel("board", "b"));
      document.subscribe(() => undefined);
      await pass(1);
      server.move(1);
      await pass(1);
      const last = document.get()?.title;
      client.disconnect();
      await pass(1);
      return last;
    };
    expect(await live()).toBe("First");
    server.patch(title("2"), { isSent: false });
    expect(await live()).toBe("2");
    expect(server.asked.map((wish) => [wish.position?.offset, wish.state])).toEqual([
      [undefined, undefined],
      [1, undefined],
    ]);
  });
});

describe("A reset", () => {
  test("[SC6] leaves the last document until the server has sent the new one, and nothing old is applied to it", async () => {
    const { server, board, document, heard } = await followed();
    board.onReset(() => heard.push(["reset", document.get()?.title]));
    server.reset({ data: titled("Anew"), version: 3 });
    expect(heard).toEqual([["reset", "First"], "Anew"]);
    server.patch(title("2"));
    expect(document.get()?.title).toBe("2");
  });

  test("[SC6] An update heard before a reset is applied again behind it: it is of the new document", async () => {
    const { server, heard } = await followed();
    server.patch(title("2"));
    const [repeated] = server.last(1);
    const before = { epoch: "e9", offset: 0, id: "" };
    server.live({ type: "reset", channel: "board:b", data: { reason: "fork", position: before } });
    server.live(server.syncOf({ data: FIRST.data, version: 3 }, before));
    server.live({
      ...repeated!,
      metadata: { ...(repeated!.metadata as object), offset: 1, prev: "" },
    } as ServerMessage);
    expect(heard).toEqual(["2", "First", "2"]);
  });

  test("[SC6] that waits behind a slow handler is not held over a drop, and its document replaces the old one", async () => {
    const { server, board, document, heard, said } = await followed();
    const busy = slow();
    board.on("moved", busy.handler);
    server.move(1);
    server.begin({ data: titled("Anew"), version: 3 });
    server.live({ type: "reset", channel: "board:b", data: { reason: "epoch", position: server.position() } });
    server.cut();
    server.patch([{ op: "replace", path: ["cards"], value: [] }], { isSent: false });
    await pass(5_000);
    expect(said()).toEqual(["-", "-"]);
    await busy.release();
    expect(document.get()).toEqual({ title: "Anew", cards: [] });
    expect(heard).toEqual(["Anew"]);
  });

  test("[SC6] in the answer to a `subscribe` brings the document as well", async () => {
    const { server, document, said } = await followed();
    server.cut();
    server.begin({ data: titled("Anew"), version: 1 });
    await pass(5_000);
    expect(document.get()?.title).toBe("Anew");
    server.patch(title("2"));
    expect(document.get()?.title).toBe("2");
    expect(said()).toEqual(["-", "held"]);
  });
});

describe("A copy that is not the server's", () => {
  test.each([
    ["a hash that is another", { hash: "0123456789abcdef" }],
    ["a version that is left out", { version: 6 }],
    ["a version that was there", { version: 3 }],
    ["patches that do not fit", { patches: [{ op: "remove" as const, path: ["nothing"] }] }],
    [
      "patches that lead to what all objects share",
      { patches: [{ op: "add" as const, path: ["__proto__", "x"], value: 1 }] },
    ],
  ])("[SC7] is replaced by the server's, which is asked for once: %s", async (_what, changes) => {
    const { server, world, document, heard, said } = await followed();
    server.hold(true);
    server.patch(title("2"), changes);
    await settle();
    expect(said()).toEqual(["-", "mismatch"]);
    server.patch(title("3"));
    await settle();
    expect(document.get()?.title).toBe("First");
    server.hold(false);
    await settle();
    expect(heard).toEqual(["3"]);
    server.patch(title("4"));
    expect(document.get()?.title).toBe("4");
    expect(said()).toEqual(["-", "mismatch"]);
    expect(world.errors).toEqual([]);
  });

  test("[SC7] is asked for when there is a connection again", async () => {
    const { server, board, document, said } = await followed();
    const busy = slow();
    board.on("moved", busy.handler);
    server.move(1);
    server.patch(title("2"), { version: 9 });
    server.cut();
    await settle();
    await busy.release();
    await pass(5_000);
    expect(said()).toEqual(["-", "mismatch"]);
    expect(document.get()?.title).toBe("2");
  });

  test("[SC7] is asked for behind the verdict where the server was just told that it is held", async () => {
    const { server, board, document, said } = await followed();
    const busy = slow();
    board.on("moved", busy.handler);
    server.move(1);
    server.patch(title("2"), { version: 9 });
    server.cut();
    server.hold(true);
    await pass(5_000);
    await busy.release();
    expect(said()).toEqual(["-", "held"]);
    server.hold(false);
    await settle();
    expect(said()).toEqual(["-", "held", "mismatch"]);
    expect(document.get()?.title).toBe("2");
  });

  test("[SC7] is asked for three times in a row, then reported, and left as it is for a while or until the next join", async () => {
    const { server, world, document, said } = await followed();
    for (let round = 1; round <= 6; round++) {
      server.patch(title(`${round}`), { version: 99 });
      await settle();
    }
    expect(said()).toEqual(["-", "mismatch", "mismatch", "mismatch"]);
    expect(document.get()?.title).toBe("3");
    expect(world.errors).toMatchObject([
      { error: { code: "BAD_MESSAGE" }, context: { source: "document", channel: "board:b" } },
    ]);
    server.cut();
    await pass(5_000);
    expect(said().at(-1)).toBe("-");
    expect(document.get()?.title).toBe("6");
  });

  test("[SC7] is asked for once more when enough has changed, and is right where it fits by then", async () => {
    const { server, world, document, said } = await followed();
    for (let round = 1; round <= 31; round++) {
      server.patch(title(`${round}`), { version: 99 });
      await settle();
    }
    expect(said()).toHaveLength(4);
    server.patch(title("32"));
    await settle();
    expect(said()).toHaveLength(5);
    expect(document.get()?.title).toBe("32");
    server.patch(title("33"));
    await settle();
    expect(document.get()?.title).toBe("33");
    expect(said()).toHaveLength(5);
    expect(world.errors).toHaveLength(1);
  });

  test("[SC7] is asked for again and again where updates in between are as they should be", async () => {
    const { server, world, document, said } = await followed();
    for (let round = 1; round <= 5; round++) {
      server.patch(title("wrong"), { version: 99 });
      await settle();
      server.patch(title(`${round}`));
    }
    expect(said()).toEqual(["-", ...Array.from({ length: 5 }, () => "mismatch")]);
    expect(document.get()?.title).toBe("5");
    expect(world.errors).toEqual([]);
  });

  test("[SC14] A change that brings the whole document is taken whatever its version", async () => {
    const { server, world, document, heard, said } = await followed({ data: undefined, version: 0 });
    server.patch([{ op: "add", path: [], value: titled("Loaded") }], { version: 7 });
    expect(document.get()).toEqual(titled("Loaded"));
    server.patch(title("2"), { version: 8 });
    await settle();
    expect(heard).toEqual(["Loaded", "2"]);
    expect(said()).toEqual(["-"]);
    expect(world.errors).toEqual([]);
  });

  test("[SC8] A document that is not the one its hash is of is taken all the same, and reported once", async () => {
    const { server, world, document, said } = await followed();
    const other = server.sync({ state: titled("Other") });
    server.live(other);
    server.live(server.sync({ state: titled("Another") }));
    expect(document.get()?.title).toBe("Another");
    expect(said()).toEqual(["-"]);
    expect(world.errors).toMatchObject([
      { error: { code: "BAD_MESSAGE" }, context: { source: "document", channel: "board:b" } },
    ]);
  });
});

describe("What the application sees", () => {
  test("[SC9] A document that does not match the schema is reported; the last one stays, and the next that matches follows", async () => {
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

  test("[SC10] A listener that throws is reported and harms no other", async () => {
    const { server, world, document, heard } = await followed();
    onChange(document, () => {
      throw new Error("no");
    });
    onChange(document, (now) => heard.push(now?.title));
    server.patch(title("2"));
    expect(heard).toEqual(["2", "2"]);
    expect(world.errors).toMatchObject([{ error: { code: "HANDLER_FAILED" }, context: { source: "handler" } }]);
  });

  test("[SC10] One that rejects is reported as well, and no change waits for it", async () => {
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

  test("[SC10] One that throws or rejects when the channel is left is reported the same way", async () => {
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

  test("[SC11] It is frozen, all of it, also where the schema lets everything through", async () => {
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

  test("[SC11] What the schema has filled in stays the schema's own, and free", async () => {
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

  test("[SC12] It is the same object for the same handle, and takes only handles of channels that declare a document", () => {
    const { client, board, document } = onBoard();
    expect(documentOf(board)).toBe(document);
    expect(documentOf(client.channel("board", "b"))).not.toBe(document);
    const { client: other } = testClient();
    for (const none of [client.channel("news"), other.channel("journal"), {}, undefined, agents])
      expect(() => documentOf(none as never)).toThrow(
        expect.objectContaining({ code: "INVALID_VALUE", field: "channel" }),
      );
  });

  test("[SC16] Another copy of the package, with the same handle, has the document as well", async () => {
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
