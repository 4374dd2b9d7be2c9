import { defineProtocol } from "@holdfast/protocol";
import { createServer, memoryBroker } from "@holdfast/server";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { BOARD, DocumentServer, empty, subscribe } from "../support/document-server.js";

const protocolOf = (version: string, document: z.ZodType) =>
  defineProtocol({ name: "notes", version, channels: { note: { key: z.string(), document } } });

describe("a change to a document", () => {
  test("[SD2] does not alter the schema's default values", async () => {
    const broker = memoryBroker();
    const older = createServer(protocolOf("1.0.0", z.object({ title: z.string() })), { broker });
    for (const key of ["a", "b"]) await older.channel("note", key).document.set({ title: key });
    const settings = z.object({ tags: z.array(z.string()), by: z.map(z.string(), z.array(z.string())) });
    const filled = { tags: [], by: new Map([["ann", []]]) };
    const schema = z.object({ title: z.string(), settings: settings.default(filled) });
    const newer = createServer(
      defineProtocol({ name: "notes", version: "1.1.0", channels: { note: { key: z.string(), document: schema } } }),
      { broker },
    );
    const failing = newer.channel("note", "a").document.update(({ settings: { tags, by } }) => {
      tags.push("of a");
      by.get("ann")!.push("of a");
      throw new Error("given up");
    });
    await expect(failing).rejects.toThrow("given up");
    const untouched = { tags: [], by: new Map([["ann", []]]) };
    for (const key of ["a", "b"])
      expect(await newer.channel("note", key).document.get()).toEqual({ title: key, settings: untouched });
    expect(filled).toEqual(untouched);
    await Promise.all([older.close(), newer.close()]);
  });

  test.each([
    ["takes something out and returns it", (draft: { id: string }[]) => draft.splice(0, 1)],
    ["returns a copy of what it has changed", (draft: { id: string }[]) => [...draft.reverse()]],
    [
      "spoils the draft and returns another",
      (draft: { id: string }[]) => {
        draft.push(5 as never);
        return [];
      },
    ],
  ])("[SD4] that %s rejects with INVALID_VALUE, because the intended document is ambiguous", async (_what, change) => {
    const schema = z.array(z.object({ id: z.string() }));
    const server = createServer(
      defineProtocol({ name: "l", version: "1.0.0", channels: { list: { document: schema } } }),
    );
    const { document } = server.channel("list");
    await document.set([{ id: "1" }, { id: "2" }]);
    await expect(document.update(change)).rejects.toMatchObject({
      code: "INVALID_VALUE",
      field: "update",
      remedy: expect.any(String),
    });
    expect(await document.get()).toEqual([{ id: "1" }, { id: "2" }]);
    // A function may return a part of the unchanged draft, or the changed draft itself.
    expect(await document.update((draft) => draft.slice(1))).toMatchObject({ document: [{ id: "2" }] });
    expect(await document.update((draft) => (draft.push({ id: "3" }), draft))).toMatchObject({ version: 3 });
    await server.close();
  });

  test("[SD4] that returns a new document is accepted, even if the schema generates a default on each parse", async () => {
    const broker = memoryBroker();
    const older = createServer(protocolOf("1.0.0", z.object({ title: z.string() })), { broker });
    await older.channel("note", "a").document.set({ title: "a" });
    let filled = 0;
    const schema = z.object({ title: z.string(), token: z.string().default(() => `${++filled}`) });
    const newer = createServer(
      defineProtocol({ name: "notes", version: "1.1.0", channels: { note: { key: z.string(), document: schema } } }),
      { broker },
    );
    const written = await newer.channel("note", "a").document.update((draft) => ({ ...draft, title: "b" }));
    expect(written).toMatchObject({ version: 2, document: { title: "b", token: expect.stringMatching(/^\d+$/) } });
    await Promise.all([older.close(), newer.close()]);
  });

  test("[SD4] with half a surrogate pair in a property name rejects with INVALID_VALUE", async () => {
    const all = new DocumentServer();
    await all.done(all.board().set(empty));
    const votes = { ["Ann👍".slice(0, 4)]: 1 };
    await expect(all.done(all.board().set({ ...empty, votes }))).rejects.toMatchObject({
      code: "INVALID_VALUE",
      field: String.raw`document.votes["Ann\ud83d"]`,
    });
    expect(await all.done(all.board().get())).toMatchObject({ votes: {} });
  });

  test("[SD6] that rejects with UNAVAILABLE does not affect the changes queued behind it", async () => {
    const all = new DocumentServer();
    await all.done(all.board().set(empty));
    const names = ["ann", "bob", "cy"];
    const changes = names.map((name) =>
      all
        .board()
        .update((draft) => void (draft.votes[name] = 1))
        .then(
          () => "made",
          ({ code }: { code: string }) => code,
        ),
    );
    all.broker.links[0]!.cut();
    all.broker.links[0]!.mend();
    await all.world.advance(1_000);
    expect(await Promise.all(changes)).toEqual(["UNAVAILABLE", "made", "made"]);
    expect(await all.done(all.board().get())).toMatchObject({ votes: { bob: 1, cy: 1 } });
  });

  test.each([["x".repeat(257)], ["Gone👍".slice(0, 5)], [5 as never]])(
    "[SD12] by `delete` with an invalid reason rejects with INVALID_OPTION: %j",
    async (reason) => {
      const all = new DocumentServer();
      await all.done(all.board().set(empty));
      await expect(all.done(all.board().delete({ reason }))).rejects.toMatchObject({
        code: "INVALID_OPTION",
        field: "reason",
      });
      expect(await all.done(all.board().get())).toMatchObject(empty);
    },
  );
});

describe("creating a document", () => {
  test("[SD19] concurrent calls on two instances create one document, and all other calls resolve with undefined", async () => {
    const one = new DocumentServer();
    const other = new DocumentServer({}, one);
    const titles = ["a", "b", "c", "d"];
    const created = await one.done(
      Promise.all(titles.map((title, at) => (at % 2 ? one : other).board().create({ ...empty, title }))),
    );
    const winners = created.filter((written) => written !== undefined);
    expect(winners).toMatchObject([{ version: 1, document: { cards: [], votes: {} } }]);
    expect(await one.done(one.board().get())).toEqual(winners[0]!.document);
    expect(one.broker.store.topics.get(BOARD)!.offset).toBe(1);
    await one.done(one.board().delete());
    expect(await one.done(one.board().create(empty))).toMatchObject({ version: 3 });
  });

  test("[SD19] the new document is sent to members and saved; if the database has a document, nothing is created", async () => {
    const saved: unknown[] = [];
    const load = ({ key }: { key: string | undefined }) => (key === "b" ? { document: empty, version: 4 } : undefined);
    const all = new DocumentServer({
      documents: { board: { load, save: ({ key, version }) => saved.push([key, version]) } },
    });
    const peer = await all.connect(subscribe(BOARD));
    await all.done(all.board().create(empty));
    expect(peer.last("state_update")).toMatchObject({ data: { version: 1 } });
    expect(saved).toEqual([["a", 1]]);
    expect(await all.done(all.board("b").create({ ...empty, title: "b" }))).toBeUndefined();
    expect(await all.done(all.board("b").get())).toMatchObject(empty);
    // The existing document is saved again, because its last save may have failed.
    expect(saved).toEqual([
      ["a", 1],
      ["b", 4],
    ]);
    await expect(all.done(all.board("c").create({ title: 5 } as never))).rejects.toMatchObject({
      code: "INVALID_VALUE",
      field: "document.title",
    });
  });
});
