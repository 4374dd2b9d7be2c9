import { defineProtocol } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { ServerHarness } from "../support/server-harness.js";
import { BOARD, DocumentServer, empty, heldBy, subscribe } from "../support/document-server.js";

describe("an invalid document", () => {
  test("[SD18] in the store is replaced by `set` and removed by `delete`; `get` and `update` reject with INTERNAL and a remedy", async () => {
    const all = new DocumentServer();
    await all.done(all.board().set(empty));
    const spoil = () => void (all.broker.store.topics.get(BOARD)!.document = { id: "theirs", text: "nonsense" });
    spoil();
    const told = { code: "INTERNAL", field: "document", remedy: expect.stringMatching(/`set`.*`delete`/) };
    await expect(all.done(all.board().get())).rejects.toMatchObject(told);
    await expect(all.done(all.board().update(() => {}))).rejects.toMatchObject(told);
    await all.done(all.board().set({ ...empty, title: "again" }));
    expect(await all.done(all.board().get())).toMatchObject({ title: "again" });
    spoil();
    expect(await all.done(all.board().delete())).toBe(true);
    expect(await all.done(all.board().get())).toBeUndefined();
  });

  test("[SD18] in the database is replaced by `set` and removed by `delete`, and versions continue", async () => {
    const rows: [string, object][] = [
      ["a", { document: { old: 1 }, version: 4 }],
      ["b", { document: { old: 1 }, version: 4 }],
    ];
    const table = new Map(rows);
    const load = ({ key }: { readonly key: string | undefined }) => table.get(key!) as never;
    const all = new DocumentServer({ documents: { board: { load } } });
    await expect(all.done(all.board().update(() => {}))).rejects.toMatchObject({
      code: "INVALID_VALUE",
      field: "document.title",
    });
    expect(await all.done(all.board().set(empty))).toMatchObject({ version: 5 });
    expect(await all.done(all.board("b").delete())).toBe(true);
    for (const key of ["c", "d"]) {
      table.set(key, { document: empty, version: Number.MAX_SAFE_INTEGER });
      await expect(all.done(all.board(key).get())).rejects.toMatchObject({ code: "INVALID_VALUE", field: "version" });
    }
    expect(await all.done(all.board("c").set(empty))).toMatchObject({ version: 1 });
    expect(await all.done(all.board("d").delete())).toBe(true);
  });

  test("[SD18] in the store is replaced by the document of the database, with its version", async () => {
    const rows = new Map<string, { document: typeof empty; version: number }>();
    let isFailing = false;
    const all = new DocumentServer({
      documents: {
        board: {
          load({ key }) {
            if (isFailing) throw new Error("down");
            return rows.get(key!);
          },
          save: ({ key, document, version }) => {
            if (version > (rows.get(key!)?.version ?? 0)) rows.set(key!, { document: document as never, version });
          },
        },
      },
    });
    const spoil = () => void (all.broker.store.topics.get(BOARD)!.document = { id: "theirs", text: "nonsense" });
    await all.done(all.board().set(empty));
    await all.done(all.board().update((draft) => void (draft.title = "Two")));
    spoil();
    expect(await all.done(all.board().get())).toMatchObject({ title: "Two" });
    spoil();
    expect(await all.done(all.board().set({ ...empty, title: "Three" }))).toMatchObject({ version: 3 });
    expect(rows.get("a")).toMatchObject({ document: { title: "Three" }, version: 3 });
    // New members and existing members of both instances receive the document of the database.
    spoil();
    const peers = [await all.connect(subscribe(BOARD)), await new DocumentServer({}, all).connect(subscribe(BOARD))];
    await all.done(all.board().update((draft) => void (draft.title = "Four")));
    await peers[1]!.send(subscribe(BOARD));
    await all.world.advance(100);
    for (const peer of peers) expect(heldBy(peer)).toMatchObject({ data: { title: "Four" }, version: 4 });
    // If `load` fails, `set` and `delete` still work.
    spoil();
    isFailing = true;
    expect(await all.done(all.board().set({ ...empty, title: "Five" }))).toMatchObject({ version: 1 });
    spoil();
    expect(await all.done(all.board().delete())).toBe(true);
    isFailing = false;
    spoil();
    rows.clear();
    await expect(all.done(all.board().get())).rejects.toMatchObject({ code: "INTERNAL", field: "document" });
  });

  test.each([
    ["is lost", undefined],
    ["is written over", { id: "theirs", text: "nonsense" }],
  ])(
    "[SD18] in the store: if a document %s, the next document keeps no metadata of the old document",
    async (_how, instead) => {
      const schema = z.object({ due: z.union([z.date(), z.string()]).optional(), title: z.string().default("") });
      const protocol = defineProtocol({ name: "tasks", version: "1.0.0", channels: { task: { document: schema } } });
      const all = new DocumentServer();
      const server = createServer(protocol, { broker: all.broker, environment: all.environment });
      const world = new ServerHarness(server, all.environment);
      const task = server.channel("task").document;
      await all.done(task.set({ due: new Date(5) }));
      const watcher = await world.connect();
      await watcher.send(subscribe("task"));
      await world.advance(50);
      expect(watcher.last("state_sync").meta).toBeDefined();

      all.broker.store.topics.get("task")!.document = instead as never;
      await all.done(task.set({ due: "1970-01-02" }));
      for (let change = 0; change < 3; change++)
        await all.done(task.update((draft) => void (draft.title = `${change}`)));
      await world.advance(50);
      // An empty `meta` clears the metadata of a copy; an update without `meta` keeps it.
      expect(watcher.of("state_update").map(({ meta }) => meta)).toEqual([{}, undefined, undefined, undefined]);
      const joiner = await world.connect();
      await joiner.send(subscribe("task"));
      await world.advance(50);
      expect(joiner.last("state_sync")).toMatchObject({ data: { state: { due: "1970-01-02", title: "2" } }, meta: {} });
    },
  );
});
