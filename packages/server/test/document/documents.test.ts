import { hashOf } from "@holdfast/protocol/internal";
import { createServer, memoryBroker } from "@holdfast/server";
import { describe, expect, test } from "vitest";
import { changeText, type StoredDocument } from "../../src/document/document.js";
import { BOARD, DocumentServer, boards, empty, heldBy, subscribe } from "../support/document-server.js";

describe("the documents of the server's API", () => {
  test("[SD1] `set` stores a document, `update` applies the changes of its draft, and `delete` removes it", async () => {
    const all = new DocumentServer();
    expect(await all.done(all.board().get())).toBeUndefined();
    const set = await all.done(all.board().set(empty));
    expect(set).toMatchObject({
      document: { title: "Plan", cards: [], votes: {} },
      version: 1,
      offset: 1,
      delivered: 0,
    });
    const updated = await all.done(
      all.board().update((draft) => {
        draft.cards.push({ id: "1", text: "Read" });
        draft.votes["ann"] = 2;
      }),
    );
    expect(updated).toMatchObject({ version: 2, document: { votes: { ann: 2 } } });
    const returned = await all.done(all.board().update((draft) => ({ ...draft, title: "New" })));
    expect(await all.done(all.board().get())).toEqual(returned.document);
    expect(await all.done(all.board().delete())).toBe(true);
    expect(await all.done(all.board().get())).toBeUndefined();
    expect(await all.done(all.board().delete())).toBe(false);
  });

  test("[SD1] values that JSON cannot hold are preserved", async () => {
    const all = new DocumentServer();
    const { document } = all.server.channel("rich");
    await all.done(document.set({ at: new Date(5), tags: new Set(["a"]) }));
    await all.done(
      document.update((draft) => {
        draft.at.setTime(6);
        draft.tags.add("b");
        draft.total = 12n;
      }),
    );
    expect(await all.done(document.get())).toEqual({ at: new Date(6), tags: new Set(["a", "b"]), total: 12n });
  });

  test("[SD2] documents are passed as copies, so later changes to a copy have no effect", async () => {
    const all = new DocumentServer();
    const value = structuredClone({ ...empty, votes: { ann: 1 } });
    const { document } = await all.done(all.board().set(value));
    value.votes.ann = 7;
    document.title = "Mine";
    (await all.done(all.board().get()))!.title = "Mine too";
    expect(await all.done(all.board().get())).toEqual({ ...empty, votes: { ann: 1 } });
  });

  test("[SD17] the text of a document is read from the broker only if the document has changed", async () => {
    const all = new DocumentServer();
    await all.done(all.board().set(empty));
    const topic = all.broker.store.topics.get(BOARD)!;
    const { id } = topic.document!;
    topic.document = { id, text: "not to be read" };
    expect(await all.done(all.board().get())).toMatchObject(empty);
    const { version } = await all.done(all.board().update((draft) => void (draft.title = "Known")));
    expect(version).toBe(2);
    expect(topic.document.id).not.toBe(id);
    topic.document = { id: "theirs", text: JSON.stringify({ version: 9, state: { ...empty, title: "Theirs" } }) };
    const theirs = await all.done(all.board().update((draft) => void draft.cards.push({ id: "1", text: "Mine" })));
    expect(theirs).toMatchObject({ version: 10, document: { title: "Theirs" } });
    topic.document = undefined;
    expect(await all.done(all.board().get())).toBeUndefined();
  });

  test("[SD3] a change without an effect creates no version", async () => {
    const all = new DocumentServer();
    const first = await all.done(all.board().set(empty));
    expect(await all.done(all.board().update(() => {}))).toEqual(first);
    expect(await all.done(all.board().set(empty))).toEqual(first);
    expect(all.server.stats().documents.changes).toBe(1);
  });

  test.each([
    [
      "a value of another kind",
      (all: DocumentServer) => all.board().set({ title: 5 } as never),
      "INVALID_VALUE",
      "document.title",
    ],
    [
      "a member no document may have",
      (all: DocumentServer) => all.board().set({ ...empty, votes: { constructor: 1 } as never }),
      "INVALID_VALUE",
      "document.votes.constructor",
    ],
    [
      "too large a document",
      (all: DocumentServer) => all.board().set({ ...empty, title: "x".repeat(300_000) }),
      "LIMIT_EXCEEDED",
      "document",
    ],
    [
      "a change that is no function",
      (all: DocumentServer) => all.board().update({} as never),
      "INVALID_VALUE",
      "update",
    ],
    [
      "a change that is asynchronous",
      (all: DocumentServer) => all.board().update((async () => empty) as never),
      "INVALID_VALUE",
      "update",
    ],
    [
      "a reason that is too long",
      (all: DocumentServer) => all.board().delete({ reason: "x".repeat(257) }),
      "INVALID_OPTION",
      "reason",
    ],
    [
      "a reason without its name",
      (all: DocumentServer) => all.board().delete("obsolete" as never),
      "INVALID_OPTION",
      "options",
    ],
    [
      "a deletion whose options are no plain object",
      (all: DocumentServer) => all.board().delete(Promise.resolve({}) as never),
      "INVALID_OPTION",
      "options",
    ],
  ])("[SD4] %s is refused, and the document stays as it is", async (_what, change, code, field) => {
    const all = new DocumentServer();
    await all.done(all.board().set(empty));
    await expect(all.done(change(all) as Promise<unknown>)).rejects.toMatchObject({ code, field });
    expect(await all.done(all.board().get())).toMatchObject(empty);
  });

  test("[SD4] if the function of `update` throws, `update` rejects with that error and changes nothing; without a document, `update` rejects with DOCUMENT_NOT_FOUND", async () => {
    const all = new DocumentServer();
    await expect(all.done(all.board().update(() => {}))).rejects.toMatchObject({ code: "DOCUMENT_NOT_FOUND" });
    await all.done(all.board().set(empty));
    const thrown = new Error("no");
    const change = all.board().update((draft) => {
      draft.title = "half done";
      throw thrown;
    });
    await expect(all.done(change)).rejects.toBe(thrown);
    expect(await all.done(all.board().get())).toMatchObject(empty);
  });

  test("[SD5] `createServer` throws INVALID_OPTION for `documents` of a channel without a document and for invalid hooks", () => {
    const refusal = (field: string) => expect.objectContaining({ code: "INVALID_OPTION", field }) as unknown;
    for (const [documents, field] of [
      [{ nope: {} }, "documents.nope"],
      [{ board: { lod: () => {} } }, "documents.board.lod"],
      [{ board: { load: 5 } }, "documents.board.load"],
      [{ board: { keepMs: 5 } }, "documents.board.keepMs"],
      [{ board: Promise.resolve({}) }, "documents.board"],
      [{ board: new Map() }, "documents.board"],
      [{ board: [] }, "documents.board"],
    ] as const)
      expect(() => createServer(boards, { documents } as never)).toThrow(refusal(field));
    expect(() => createServer(boards, { limits: { documentBytes: 400_000 } })).toThrow(refusal("limits.documentBytes"));
    expect(() => createServer(boards, { limits: { owedBytes: 100_000 } })).not.toThrow();
  });
});

test("[SD1] a change that only alters the meaning of the same JSON creates a version", () => {
  const there = (meta: unknown): StoredDocument => ({
    name: "there",
    version: 1,
    content: { data: { total: "1" }, meta },
  });
  const annotated = { values: { total: ["bigint"] }, v: 1 };
  expect(JSON.parse(changeText(there(undefined), { ...there(annotated), version: 2 })!)).toEqual({
    type: "state_update",
    data: { version: 2, patches: [{ op: "replace", path: [], value: { total: "1" } }] },
    meta: annotated,
  });
  expect(changeText(there(annotated), there(annotated))).toBeUndefined();
});

describe("concurrent changes of a document", () => {
  test("[SD6] changes of one instance queue, changes of several instances compete, and each is applied once", async () => {
    const one = new DocumentServer();
    const other = new DocumentServer({}, one);
    await one.done(one.board().set(empty));
    const vote = (all: DocumentServer, name: string) =>
      all.board().update((draft) => void (draft.votes[name] = (draft.votes[name] ?? 0) + 1));
    const changes = Array.from({ length: 20 }, (_, index) => vote(index % 2 ? one : other, `v${index % 3}`));
    await one.done(Promise.all(changes));
    const { votes } = (await other.done(other.board().get()))!;
    expect(Object.values(votes).reduce((sum, count) => sum + count, 0)).toBe(20);
    expect(one.server.stats().documents.changes + other.server.stats().documents.changes).toBe(21);
    expect(one.server.stats().documents.conflicts + other.server.stats().documents.conflicts).toBeGreaterThan(0);
  });

  test("[SD7] a change that loses five times to other writers rejects with DOCUMENT_CONFLICT and changes nothing", async () => {
    const all = new DocumentServer();
    await all.done(all.board().set(empty));
    let tries = 0;
    const change = all.board().update((draft) => {
      draft.title = `mine ${++tries}`;
      // Simulates another instance that writes between the reading and the write.
      const topic = all.broker.store.topics.get(BOARD)!;
      topic.document = { ...topic.document!, id: `theirs ${tries}` };
    });
    await expect(all.done(change)).rejects.toMatchObject({ code: "DOCUMENT_CONFLICT", field: "document" });
    expect(tries).toBe(5);
    expect(await all.done(all.board().get())).toMatchObject(empty);
    expect(all.server.stats().documents).toEqual({ changes: 1, conflicts: 5, mismatches: 0 });
  });
});

describe("members of a channel with a document", () => {
  test("[SD8] receive a snapshot after the answer to subscribe, and then each change in the order of the channel", async () => {
    const all = new DocumentServer();
    await all.done(all.board().set({ ...empty, votes: { someone: 1, anyone: 2, everyone: 3 } }));
    const peer = await all.connect(subscribe(BOARD));
    expect(peer.received.slice(-2).map(({ type }) => type)).toEqual(["subscribe_response", "state_sync"]);
    const sync = peer.last("state_sync");
    expect(sync.data).toMatchObject({ state: { title: "Plan" }, version: 1, hash: hashOf(sync.data.state) });
    await all.done(all.board().update((draft) => void draft.cards.push({ id: "1", text: "a" })));
    await all.done(all.server.channel("board", "a").publish("moved", "1"));
    await all.done(all.board().update((draft) => void (draft.cards[0]!.text = "b")));
    const [first, event, second] = peer.received.slice(-3);
    expect(first).toMatchObject({
      type: "state_update",
      data: { version: 2, patches: [{ op: "add", path: ["cards", 0], value: { id: "1", text: "a" } }] },
      metadata: { offset: 2, prev: sync.data.position.id },
    });
    expect(event).toMatchObject({ type: "event", metadata: { offset: 3 } });
    expect(second).toMatchObject({
      data: { version: 3, patches: [{ op: "replace", path: ["cards", 0, "text"], value: "b" }] },
      metadata: { offset: 4, prev: (event as { metadata: { id: string } }).metadata.id },
    });
  });

  test("[SD8] receive an empty snapshot if there is no document yet, and the document when it is created", async () => {
    const all = new DocumentServer();
    const peer = await all.connect(subscribe(BOARD));
    expect(peer.last("state_sync").data).toMatchObject({ version: 0, hash: "" });
    expect(peer.last("state_sync").data).not.toHaveProperty("state");
    await all.done(all.board().set(empty));
    expect(heldBy(peer)).toMatchObject({ data: { title: "Plan" }, version: 1 });
  });

  test("[SD9] that resume with position and version receive the missed patches if these are short enough", async () => {
    const all = new DocumentServer();
    await all.done(all.board().set({ ...empty, title: "x".repeat(2_000) }));
    const peer = await all.connect(subscribe(BOARD));
    const { position } = peer.last("state_sync").data;
    await all.done(all.board().update((draft) => void (draft.votes["a"] = 1)));
    await all.done(all.server.channel("board", "a").publish("moved", "1"));
    const back = await all.connect(subscribe({ channel: BOARD, position, state: "held" }));
    const { missed } = back.last("subscribe_response").data.results[0] as { missed: { type: string }[] };
    expect(missed).toMatchObject([{ type: "state_update", data: { version: 2 } }, { type: "event" }]);
    expect(back.of("state_sync")).toEqual([]);
  });

  test("[SD9] receive the whole document if the missed patches are longer than half of the document, and all missed events", async () => {
    const all = new DocumentServer();
    await all.done(all.board().set(empty));
    const peer = await all.connect(subscribe(BOARD));
    const { position } = peer.last("state_sync").data;
    for (const title of ["a", "b", "c"]) await all.done(all.board().update((draft) => void (draft.title = title)));
    await all.done(all.server.channel("board", "a").publish("moved", "1"));
    for (const state of ["held", undefined]) {
      const back = await all.connect(subscribe({ channel: BOARD, position, state }));
      const { missed } = back.last("subscribe_response").data.results[0] as { missed: object[] };
      expect(missed).toMatchObject([
        { data: { version: 2, patches: [] } },
        { data: { version: 3, patches: [] } },
        { data: { version: 4, patches: [] } },
        { type: "event", data: "1" },
      ]);
      expect(back.last("state_sync").data).toMatchObject({ state: { title: "c" }, version: 4 });
    }
  });

  test("[SD10] receive a hash every 32 versions; a member that reports a mismatch receives a snapshot, and `mismatches` counts the report", async () => {
    const all = new DocumentServer();
    const peer = await all.connect(subscribe(BOARD));
    await all.done(all.board().set(empty));
    for (let count = 2; count <= 65; count++)
      await all.done(all.board().update((draft) => void (draft.votes["n"] = count)));
    const hashes = peer.of("state_update").filter(({ data }) => data.hash !== undefined);
    expect(hashes.map(({ data }) => data.version)).toEqual([32, 64]);
    expect(hashes[1]!.data.hash).toBe(hashOf({ title: "Plan", cards: [], votes: { n: 64 } }));
    await peer.send(subscribe({ channel: BOARD, state: "mismatch" }));
    await all.world.advance(50);
    expect(peer.last("state_sync").data).toMatchObject({ version: 65 });
    expect(all.server.stats().documents.mismatches).toBe(1);
  });

  test("[SD11] receive a reset and the current document after a roll-back", async () => {
    const all = new DocumentServer();
    await all.done(all.board().set(empty));
    const saved = all.broker.store.snapshot();
    const peer = await all.connect(subscribe(BOARD));
    await all.done(all.board().update((draft) => void (draft.title = "lost")));
    all.broker.store.restore(saved);
    await all.world.advance(20_000);
    const [reset, sync] = peer.received.slice(-2);
    expect(reset).toMatchObject({ type: "reset", data: { reason: "fork" } });
    expect(sync).toMatchObject({ type: "state_sync", data: { state: { title: "Plan" }, version: 1 } });
    await all.done(all.board().update((draft) => void (draft.title = "next")));
    expect(heldBy(peer)).toMatchObject({ data: { title: "next" }, version: 2 });
  });

  test("[SD12] receive `state_deleted` with the reason on every instance when the document is deleted, and leave the channel", async () => {
    const one = new DocumentServer();
    const other = new DocumentServer({}, one);
    await one.done(one.board().set(empty));
    const peers = [await one.connect(subscribe(BOARD)), await other.connect(subscribe(BOARD))];
    await one.done(one.board().delete({ reason: "SESSION_DELETED" }));
    await other.world.settle();
    for (const peer of peers)
      expect(peer.received.at(-1)).toMatchObject({ type: "state_deleted", data: { reason: "SESSION_DELETED" } });
    expect(one.server.channel("board", "a").subscribers + other.server.channel("board", "a").subscribers).toBe(0);
    const late = await other.connect(subscribe(BOARD));
    expect(late.last("subscribe_response").data.results[0]).toMatchObject({
      ok: false,
      error: { code: "STATE_DELETED", message: "SESSION_DELETED" },
    });
    await one.done(one.board().set({ ...empty, title: "again" }));
    await late.send(subscribe(BOARD));
    await other.world.advance(50);
    expect(heldBy(late)).toMatchObject({ data: { title: "again" }, version: 3 });
  });

  test("[SD12] that return after a deletion and a new document receive the whole document", async () => {
    const all = new DocumentServer();
    await all.done(all.board().set({ ...empty, title: "x".repeat(5_000) }));
    const peer = await all.connect(subscribe(BOARD));
    const { position } = peer.last("state_sync").data;
    peer.socket.drop();
    await all.done(all.board().delete());
    await all.done(all.board().set({ ...empty, title: "again" }));
    const back = await all.connect(subscribe({ channel: BOARD, position, state: "held" }));
    expect(heldBy(back)).toMatchObject({ data: { title: "again" }, version: 3 });
  });

  test("[SD13] if the store holds an invalid document, subscriptions are refused and the server keeps working", async () => {
    const all = new DocumentServer();
    await all.done(all.board().set(empty));
    all.broker.store.topics.get(BOARD)!.document = { id: "x", text: "nonsense" };
    const peer = await all.connect(subscribe(BOARD));
    await all.world.advance(100);
    expect(peer.last("subscribe_response").data.results[0]).toMatchObject({
      ok: false,
      error: { code: "UNAVAILABLE" },
    });
    await expect(all.done(all.board().get())).rejects.toMatchObject({ code: "INTERNAL" });
  });
});

test("[SD20] if patches do not fit the document, the instance reads the channel again at once", async () => {
  const all = new DocumentServer();
  await all.done(all.board().set(empty));
  await all.connect(subscribe(BOARD));
  const link = all.broker.links[0]!;
  const { read } = link;
  let reads = 0;
  link.read = (...args) => {
    reads++;
    return read.apply(link, args);
  };
  const patches = [{ op: "replace", path: ["nowhere", "below"], value: 1 }];
  const body = JSON.stringify({ type: "state_update", data: { version: 2, patches } });
  await all.done(link.publish(BOARD, "foreign", body, { log: { size: 128, ttlMs: 600_000 } }));
  expect(reads).toBe(1);
});

test("[SD14] a server with the memory broker serves documents", async () => {
  const server = createServer(boards, { broker: memoryBroker() });
  const { document } = server.channel("board", "a");
  await document.set(empty);
  await document.update((draft) => void (draft.title = "b"));
  expect(await document.get()).toMatchObject({ title: "b" });
  await server.close();
});
