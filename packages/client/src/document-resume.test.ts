import { type ServerMessage } from "@holdfast/protocol";
import { describe, expect, test } from "vitest";
import { pass, settle, withFakeTime } from "../test/support/test-client.js";
import { FIRST, titled, title, followed, slow } from "../test/support/board-client.js";

withFakeTime();

describe("After a drop", () => {
  test("[SC3] the last document stays, `subscribe` says `held`, and missed changes arrive as patches", async () => {
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

  test("[SC3] the whole document arrives if the patches would be larger", async () => {
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

  test("[SC3] the client says `held` even while changes wait for a slow handler, because these changes will be applied", async () => {
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

  test("[SC3] the client does not say `held` if the connection drops between an update without patches and the document that follows", async () => {
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

  test("[SC3] while a lost event is replayed, the client keeps the document", async () => {
    const { server, heard, said } = await followed();
    server.patch(title("2"), { isSent: false });
    server.patch(title("3"));
    await settle();
    expect(heard).toEqual(["2", "3"]);
    expect(said()).toEqual(["-", "held"]);
  });
});

describe("A reset", () => {
  test("[SC6] keeps the last document until the server has sent the new document; no old update is applied to the new document", async () => {
    const { server, board, document, heard } = await followed();
    board.onReset(() => heard.push(["reset", document.get()?.title]));
    server.reset({ data: titled("Anew"), version: 3 });
    expect(heard).toEqual([["reset", "First"], "Anew"]);
    server.patch(title("2"));
    expect(document.get()?.title).toBe("2");
  });

  test("[SC6] an update that was applied before a reset is applied again if the server sends the update again, because the document is new", async () => {
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

  test("[SC6] if the connection drops while a reset waits for a slow handler, the client does not say `held`, and the new document replaces the old document", async () => {
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

  test("[SC6] after a reset in the answer to a `subscribe`, the server also sends the document", async () => {
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

describe("A copy that differs from the server's", () => {
  test.each([
    ["another hash", { hash: "0123456789abcdef" }],
    ["a skipped version", { version: 6 }],
    ["an earlier version", { version: 3 }],
    ["patches that do not apply", { patches: [{ op: "remove" as const, path: ["nothing"] }] }],
    [
      "patches that lead to the prototype of all objects",
      { patches: [{ op: "add" as const, path: ["__proto__", "x"], value: 1 }] },
    ],
  ])("[SC7] is replaced by the server's document after one request: %s", async (_what, changes) => {
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

  test("[SC7] is requested from the server on the next connection", async () => {
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

  test("[SC7] is requested after the pending answer if the `subscribe` said `held`", async () => {
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

  test("[SC7] is replaced on request three times in a row; then the error is reported, and the client asks again only after later updates or at the next join", async () => {
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

  test("[SC7] is requested again after 32 updates that did not fit, and later updates that fit are applied", async () => {
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

  test("[SC7] is replaced on request without limit if an update between two mismatches fits", async () => {
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

  test("[SC14] an update that replaces the whole document is applied whatever the update's version", async () => {
    const { server, world, document, heard, said } = await followed({ data: undefined, version: 0 });
    server.patch([{ op: "add", path: [], value: titled("Loaded") }], { version: 7 });
    expect(document.get()).toEqual(titled("Loaded"));
    server.patch(title("2"), { version: 8 });
    await settle();
    expect(heard).toEqual(["Loaded", "2"]);
    expect(said()).toEqual(["-"]);
    expect(world.errors).toEqual([]);
  });

  test("[SC8] a document that does not match the hash sent with it is used, and the difference is reported once", async () => {
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
