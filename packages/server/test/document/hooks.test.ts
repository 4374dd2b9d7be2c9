import { describe, expect, test } from "vitest";
import { BOARD, DocumentServer, type BoardOptions, empty, heldBy, subscribe } from "../support/document-server.js";

/** The application's database, with saves that the test can hold back. */
class Database {
  readonly rows = new Map<string, { document: { title: string; cards: never[] }; version: number }>();
  readonly loads: string[] = [];
  readonly saves: (number | string)[] = [];
  failing: Error | undefined;
  /**
   * Returns the promise that each save awaits before it stores. If undefined, saves do not wait.
   */
  wait: (() => Promise<void>) | undefined;

  readonly hooks: NonNullable<BoardOptions["documents"]>["board"] = {
    load: ({ key }) => {
      this.loads.push(key!);
      if (this.failing) throw this.failing;
      return Promise.resolve(this.rows.get(key!));
    },
    save: async ({ key, document, version }) => {
      if (this.failing) throw this.failing;
      await this.wait?.();
      this.saves.push(document ? version : `deleted ${version}`);
      if (document) this.rows.set(key!, { document: document as never, version });
      else this.rows.delete(key!);
    },
  };
}

function withDatabase(beside?: DocumentServer, database = new Database()) {
  const all = new DocumentServer({ documents: { board: database.hooks! } }, beside);
  return { all, database };
}

describe("documents stored in the application's database", () => {
  test("[SH1] are loaded once, for the first caller, and versions continue from the loaded version", async () => {
    const { all, database } = withDatabase();
    database.rows.set("a", { document: empty as never, version: 41 });
    const peers = [await all.connect(subscribe(BOARD)), await all.connect(subscribe(BOARD))];
    for (const peer of peers) expect(heldBy(peer)).toMatchObject({ data: { title: "Plan" }, version: 41 });
    const { version } = await all.done(all.board().update((draft) => void (draft.title = "b")));
    expect(version).toBe(42);
    expect(await all.done(all.board().get())).toMatchObject({ title: "b" });
    expect(database.loads).toEqual(["a"]);
    expect(database.rows.get("a")).toMatchObject({ document: { title: "b" }, version: 42 });
  });

  test("[SH1] are loaded once for concurrent callers, without a conflict", async () => {
    const { all, database } = withDatabase();
    database.rows.set("a", { document: empty as never, version: 7 });
    const answers = await all.done(Promise.all(Array.from({ length: 20 }, () => all.board().get())));
    expect(answers).toHaveLength(20);
    for (const answer of answers) expect(answer).toMatchObject({ title: "Plan" });
    // Each caller has its own copy.
    expect(new Set(answers).size).toBe(20);
    expect(database.loads).toEqual(["a"]);
    expect(all.server.stats().documents.conflicts).toBe(0);
  });

  test("[SH1] are equal for two instances that load at the same time", async () => {
    const { all, database } = withDatabase();
    database.rows.set("a", { document: empty as never, version: 3 });
    const { all: other } = withDatabase(all, database);
    const [one, two] = await Promise.all([all.world.connect(), other.world.connect()]);
    one.socket.send(JSON.stringify(subscribe(BOARD)));
    two.socket.send(JSON.stringify(subscribe(BOARD)));
    for (let turn = 0; turn < 40; turn++) {
      await all.world.advance(1);
      await other.world.settle();
    }
    expect(heldBy(one)).toMatchObject({ data: { title: "Plan" }, version: 3 });
    expect(heldBy(two)).toEqual(heldBy(one));
  });

  test("[SH1] reach members who joined before the document existed, as version 1 if the database returns no version or 0", async () => {
    for (const version of [undefined, 0]) {
      const { all, database } = withDatabase();
      const peer = await all.connect(subscribe(BOARD));
      expect(heldBy(peer).data).toBeUndefined();
      database.rows.set("a", { document: { title: "late", cards: [] }, version: version! });
      expect(await all.done(all.board().get())).toMatchObject({ title: "late" });
      expect(heldBy(peer)).toMatchObject({ data: { title: "late" }, version: 1 });
      expect(await all.done(all.board().set(empty as never))).toMatchObject({ version: 2 });
    }
  });

  test.each([5n, "5", "0005"])(
    "[SH1] continue from a version that the database driver returns as a BigInt or as a string, %s",
    async (version) => {
      const saved: number[] = [];
      const save = ({ version: now }: { version: number }) => saved.push(now);
      const all = new DocumentServer({ documents: { board: { load: () => ({ document: empty, version }), save } } });
      expect(await all.done(all.board().update((draft) => void (draft.title = "b")))).toMatchObject({ version: 6 });
      expect(saved).toEqual([6]);
    },
  );

  test("[SH1] may be loaded and saved by methods of a class instance", async () => {
    class Rows {
      readonly #versions = new Map<unknown, number>([["a", 3]]);
      load({ key }: { key: string | undefined }) {
        return { document: empty, version: this.#versions.get(key) };
      }
      save({ key, version }: { key: string | undefined; version: number }) {
        this.#versions.set(key, version);
      }
      of(key: string) {
        return this.#versions.get(key);
      }
    }
    const board = new Rows();
    const all = new DocumentServer({ documents: { board } });
    await all.done(all.board().set({ ...empty, title: "b" }));
    expect(board.of("a")).toBe(4);
  });

  test("[SH2] do not exist if `load` returns undefined or `document: null`; if `load` throws, `get` rejects with that error, and a later call loads again", async () => {
    const { all, database } = withDatabase();
    expect(await all.done(all.board().get())).toBeUndefined();
    database.rows.set("a", { document: null } as never);
    expect(await all.done(all.board().get())).toBeUndefined();
    database.failing = new Error("database down");
    await expect(all.done(all.board().get())).rejects.toBe(database.failing);
    const peer = await all.connect(subscribe(BOARD));
    expect(peer.last("subscribe_response").data.results[0]).toMatchObject({ error: { code: "UNAVAILABLE" } });
    database.failing = undefined;
    database.rows.set("a", { document: empty as never, version: 1 });
    await peer.send(subscribe(BOARD));
    await all.world.advance(50);
    expect(heldBy(peer)).toMatchObject({ data: { title: "Plan" } });
  });

  test("[SH3] are saved before the change resolves; if several versions wait for a slow `save`, only the newest is saved; a deletion is saved too", async () => {
    const { all, database } = withDatabase();
    await all.done(all.board().set(empty));
    let release!: () => void;
    database.wait = () => new Promise((resolve) => (release = resolve));
    const changes = [1, 2, 3, 4].map((count) => all.board().update((draft) => void (draft.votes["n"] = count)));
    await all.world.advance(100);
    expect(database.saves).toEqual([1]);
    database.wait = undefined;
    release();
    await all.done(Promise.all(changes));
    expect(database.saves).toEqual([1, 2, 5]);
    await all.done(all.board().delete());
    expect(database.saves.at(-1)).toBe("deleted 6");
  });

  test("[SH4] if `save` fails, the caller gets NOT_SAVED; members receive the change, and the next change saves both changes", async () => {
    const { all, database } = withDatabase();
    await all.done(all.board().set(empty));
    const peer = await all.connect(subscribe(BOARD));
    database.failing = new Error("disk full");
    const change = all.done(all.board().update((draft) => void (draft.title = "b")));
    await expect(change).rejects.toMatchObject({ code: "NOT_SAVED", cause: database.failing });
    expect(heldBy(peer)).toMatchObject({ data: { title: "b" }, version: 2 });
    database.failing = undefined;
    await all.done(all.board().update((draft) => void (draft.votes["n"] = 1)));
    expect(database.rows.get("a")).toMatchObject({ document: { title: "b" }, version: 3 });
  });

  test("[SH5] that do not match the schema, or have an invalid version, are refused with the path of the field", async () => {
    const { all, database } = withDatabase();
    database.rows.set("a", { document: { title: 5 } as never, version: 1 });
    await expect(all.done(all.board().get())).rejects.toMatchObject({ code: "INVALID_VALUE", field: "document.title" });
    for (const version of [-1, 1.5, Number.NaN, "", "1e3", " 1", "-1", 2n ** 60n, null, {}]) {
      database.rows.set("a", { document: empty as never, version: version as never });
      await expect(all.done(all.board().get())).rejects.toMatchObject({ code: "INVALID_VALUE", field: "version" });
    }
  });
});
