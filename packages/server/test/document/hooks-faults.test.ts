import { describe, expect, test } from "vitest";
import { seededRandom } from "../support/seeded-random.js";
import { BOARD, DocumentServer, empty, heldBy, subscribe } from "../support/document-server.js";
import { database, never, outcomeOf, type Save } from "./database.js";

describe("failures of the application's database", () => {
  test("[SH4] a change without an effect calls `save` again for a version that was not saved, including a deletion", async () => {
    const db = database();
    const all = new DocumentServer({ documents: { board: db.hooks } });
    db.failing = new Error("down");
    await expect(all.done(all.board().set(empty))).rejects.toMatchObject({ code: "NOT_SAVED" });
    db.failing = undefined;
    expect(await all.done(all.board().set(empty))).toMatchObject({ version: 1 });
    expect(db.rows.get("a")).toMatchObject({ document: { title: "Plan" }, version: 1 });
    db.rows.clear();
    expect(await all.done(all.board().update(() => {}))).toMatchObject({ version: 1 });
    expect(db.rows.get("a")).toMatchObject({ document: { title: "Plan" }, version: 1 });
    db.failing = new Error("down");
    await expect(all.done(all.board().delete())).rejects.toMatchObject({ code: "NOT_SAVED" });
    db.failing = undefined;
    expect(await all.done(all.board().delete())).toBe(false);
    expect(db.rows.get("a")).toEqual({ document: undefined, version: 2 });
    expect(all.server.stats().documents.changes).toBe(2);
  });

  test("[SH11] if `save` fails, one caller of `create` gets NOT_SAVED and all others undefined, on every instance", async () => {
    const db = database();
    db.failing = new Error("down");
    const one = new DocumentServer({ documents: { board: db.hooks } });
    const other = new DocumentServer({ documents: { board: db.hooks } }, one);
    const create = (all: DocumentServer, title: string) => outcomeOf(all.board().create({ ...empty, title }));
    const told = Array.from({ length: 6 }, (_, index) => create(index % 2 ? other : one, `${index}`));
    await one.world.advance(5_000);
    const outcomes = await Promise.all(told);
    const winners = outcomes.flatMap((outcome, index) => (outcome === undefined ? [] : [{ outcome, index }]));
    expect(winners).toMatchObject([{ outcome: { code: "NOT_SAVED" } }]);
    expect(await one.done(one.board().get())).toMatchObject({ title: `${winners[0]!.index}` });
    // Later calls resolve with undefined too, even on the instance of the winner.
    expect(await one.done(one.board().create(empty))).toBeUndefined();
    expect(await one.done(other.board().create(empty))).toBeUndefined();
    expect(db.rows.size).toBe(0);
    // A later call saves the document when `save` works again.
    db.failing = undefined;
    expect(await one.done(other.board().create(empty))).toBeUndefined();
    expect(db.rows.get("a")).toMatchObject({ version: 1, document: { title: `${winners[0]!.index}` } });
  });

  test("[SH11] if `save` never answers, the first caller of `create` gets NOT_SAVED and the others undefined after `requestTimeoutMs`", async () => {
    const all = new DocumentServer({ requestTimeoutMs: 1_000, documents: { board: { save: never } } });
    const told = [1, 2, 3].map(() => outcomeOf(all.board().create(empty)));
    await all.world.advance(2_500);
    expect(await Promise.all(told)).toMatchObject([{ code: "NOT_SAVED" }, undefined, undefined]);
  });

  test("[SH11] if answers of the broker are lost and `save` may fail, at most one caller of `create` gets the document or NOT_SAVED", async () => {
    let created = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const random = seededRandom(seed);
      const save = () => {
        if (random() < 0.7) throw new Error("down");
      };
      const one = new DocumentServer({ documents: { board: { save } } });
      const all = [
        one,
        new DocumentServer({ documents: { board: { save } } }, one),
        new DocumentServer({ documents: { board: { save } } }, one),
      ];
      const told: Promise<unknown>[] = [];
      for (let step = 0; step < 12; step++) {
        const index = Math.floor(random() * all.length);
        const { links } = one.broker;
        if (random() < 0.6) told.push(outcomeOf(all[index]!.board().create({ ...empty, title: `${step}` })));
        else if (random() < 0.5) links[index]!.cut();
        else links[index]!.mend();
        await one.world.advance(random() * 4);
      }
      one.broker.up();
      await one.world.advance(10_000);
      const outcomes = (await Promise.all(told)) as ({ code?: string; version?: number } | undefined)[];
      const believers = outcomes.filter((outcome) => outcome !== undefined && outcome.code !== "UNAVAILABLE");
      expect(believers.length, `seed ${seed}`).toBeLessThan(2);
      for (const believer of believers) expect([undefined, "NOT_SAVED"]).toContain(believer!.code);
      created += believers.length;
    }
    expect(created).toBeGreaterThan(20);
  });

  test("[SH6] a `load` that never answers times out for all waiting callers together, and the next call loads again", async () => {
    let asked = 0;
    const load = () => (++asked === 1 ? never() : { document: empty, version: 7 });
    const all = new DocumentServer({ requestTimeoutMs: 1_000, documents: { board: { load } } });
    const change = () => outcomeOf(all.board().set({ ...empty, title: "b" }));
    // All callers that wait for the load, directly or in the queue, are rejected at the same time.
    const together = [...Array.from({ length: 10 }, change), outcomeOf(all.board().get())];
    await all.world.advance(1_100);
    for (const told of together) {
      const outcome = await Promise.race([told, Promise.resolve("still waits")]);
      expect(outcome).toMatchObject({ code: "UNAVAILABLE", field: "load" });
    }
    expect(asked).toBe(1);
    expect(await all.done(all.board().get())).toMatchObject({ title: "Plan" });
    expect(await all.done(all.board().set({ ...empty, title: "b" }))).toMatchObject({ version: 8 });
  });

  test("[SH6] if `load` fails after another instance has set the document, waiting reads and changes succeed", async () => {
    let fail!: (error: Error) => void;
    const load = () => new Promise<never>((_, reject) => (fail = reject));
    const one = new DocumentServer({ documents: { board: { load } } });
    const other = new DocumentServer({}, one);
    const got = outcomeOf(one.board().get());
    await one.world.advance(20);
    await one.done(other.board().set(empty));
    const changes = ["ann", "bob", "cy"].map((name) => outcomeOf(one.board().update((d) => void (d.votes[name] = 1))));
    await one.world.advance(1);
    fail(new Error("down"));
    await one.world.advance(500);
    expect(await Promise.all(changes)).toMatchObject([{ version: 2 }, { version: 3 }, { version: 4 }]);
    expect(await got).toMatchObject({ title: "Plan" });
  });

  test("[SH6] a `save` that never answers times out: the caller gets NOT_SAVED, and the next change calls `save` again", async () => {
    let asked = 0;
    const save = () => (++asked === 1 ? never() : undefined);
    const all = new DocumentServer({ requestTimeoutMs: 1_000, documents: { board: { save } } });
    const told = outcomeOf(all.board().set(empty));
    await all.world.advance(2_000);
    expect(await told).toMatchObject({ code: "NOT_SAVED", cause: { code: "UNAVAILABLE", field: "save" } });
    expect(await all.done(all.board().set({ ...empty, title: "b" }))).toMatchObject({ version: 2 });
    // A `save` that waits for a change of its own document waits for itself until the timeout.
    const other: DocumentServer = new DocumentServer({
      requestTimeoutMs: 1_000,
      documents: {
        board: { save: ({ version }) => version < 3 && other.board().set({ ...empty, title: `${version}` }) },
      },
    });
    const own = outcomeOf(other.board().set(empty));
    await other.world.advance(5_000);
    expect(await own).toMatchObject({ code: "NOT_SAVED" });
  });

  test("[SH7] if the broker loses all data, members receive a reset and the document of the database", async () => {
    const db = database();
    const all = new DocumentServer({ heartbeat: { intervalMs: 600_000 }, documents: { board: db.hooks } });
    for (const title of ["one", "two"]) await all.done(all.board().set({ ...empty, title }));
    const peer = await all.connect(subscribe(BOARD));
    all.broker.store.empty();
    db.rows.set("a", { document: { title: "of the database", cards: [] }, version: 9 });
    await all.world.advance(60_000);
    expect(peer.of("reset")).toHaveLength(1);
    expect(heldBy(peer)).toMatchObject({ data: { title: "of the database" }, version: 9 });
    await all.done(all.board().update((draft) => void (draft.title = "changed")));
    expect(heldBy(peer)).toMatchObject({ data: { title: "changed" }, version: 10 });
  });

  test("[SH7] if `load` fails after the broker lost its data, the server retries until a `load` succeeds, and `close` ends the retries", async () => {
    const row = { document: { title: "of the database", cards: [] }, version: 9 };
    let failing = false;
    let asked = 0;
    const load = () => {
      asked++;
      if (failing) throw new Error("down");
      return row;
    };
    const all = new DocumentServer({ heartbeat: { intervalMs: 600_000 }, documents: { board: { load } } });
    const peer = await all.connect(subscribe(BOARD));
    failing = true;
    all.broker.store.empty();
    await all.world.advance(60_000);
    expect(heldBy(peer)).toMatchObject({ data: undefined });
    expect(asked).toBeGreaterThan(3);
    failing = false;
    await all.world.advance(11_000);
    expect(heldBy(peer)).toMatchObject({ data: { title: "of the database" }, version: 9 });
    failing = true;
    all.broker.store.empty();
    await all.world.advance(60_000);
    const closed = all.server.close();
    await all.world.advance(1_000);
    await closed;
    const before = asked;
    await all.world.advance(60_000);
    expect(asked).toBe(before);
    expect(all.environment.timers).toBe(0);
  });

  test("[SH7] a second loss while `load` is pending does not call `load` again, and `close` leaves no timer", async () => {
    let asked = 0;
    let fail!: (error: Error) => void;
    const load = () =>
      ++asked === 1 ? { document: empty, version: 9 } : new Promise<never>((_resolve, reject) => (fail = reject));
    const all = new DocumentServer({ heartbeat: { intervalMs: 600_000 }, documents: { board: { load } } });
    const peer = await all.connect(subscribe(BOARD));
    all.broker.store.empty();
    const resets = async (count: number): Promise<void> => {
      for (let ms = 0; ms < 24_000 && peer.of("reset").length < count; ms += 100) await all.world.advance(100);
      expect(peer.of("reset")).toHaveLength(count);
    };
    await resets(1);
    all.broker.store.empty();
    await resets(2);
    expect(asked).toBe(2);
    fail(new Error("down"));
    await all.world.advance(100);
    const closed = all.server.close();
    await all.world.advance(100);
    await closed;
    expect(all.environment.timers).toBe(0);
  });

  test("[SH8] if `load` returns a deletion with its version, the document stays deleted and versions continue", async () => {
    const db = database();
    let release!: () => void;
    const slow = new Promise<void>((resolve) => (release = resolve));
    const save: Save = async (document) => {
      await slow;
      return db.hooks.save!(document);
    };
    const one = new DocumentServer({ documents: { board: { ...db.hooks, save } } });
    const other = new DocumentServer({ documents: { board: db.hooks } }, one);
    const set = one.board().set(empty);
    await one.world.advance(100);
    expect(await one.done(other.board().delete())).toBe(true);
    release();
    await one.done(set);
    expect(db.rows.get("a")).toEqual({ document: undefined, version: 2 });
    one.broker.store.empty();
    expect(await one.done(other.board().get())).toBeUndefined();
    const peer = await one.connect(subscribe(BOARD));
    expect(peer.last("subscribe_response").data.results[0]).toMatchObject({ error: { code: "STATE_DELETED" } });
    expect(await one.done(other.board().set(empty))).toMatchObject({ version: 3 });
    expect(db.rows.get("a")).toMatchObject({ version: 3 });
    // If `load` returns neither a document nor a version, versions begin at 1.
    db.rows.set("b", { document: undefined } as never);
    expect(await one.done(other.board("b").set(empty))).toMatchObject({ version: 1 });
  });
});
