import { describe, expect, test } from "vitest";
import { DocumentServer, empty } from "../support/document-server.js";
import { database, never, outcomeOf, type Save } from "./database.js";

describe("closing a server with documents", () => {
  test("[SH9] `close` waits for saves in progress for at most `graceMs`", async () => {
    let isSaved = false;
    const saveIn = (ms: number): Save => {
      return () =>
        new Promise<void>((resolve) => {
          all.environment.after(ms, () => {
            isSaved = true;
            resolve();
          });
        });
    };
    let all = new DocumentServer({ documents: { board: { save: saveIn(300) } } });
    const change = all.board().set(empty);
    await all.world.advance(50);
    let closed = all.server.close().then(() => isSaved);
    await all.world.advance(2_000);
    expect(await closed).toBe(true);
    await change;

    isSaved = false;
    all = new DocumentServer({ documents: { board: { save: saveIn(20_000) } } });
    const given = outcomeOf(all.board().set(empty));
    await all.world.advance(50);
    closed = all.server.close({ graceMs: 1_000 }).then(() => isSaved);
    await all.world.advance(5_000);
    expect(await closed).toBe(false);
    expect(await given).toMatchObject({ code: "NOT_SAVED", cause: { code: "UNAVAILABLE", field: "save" } });
  });

  test("[SH9] `close` waits until changes in flight are stored and saved", async () => {
    const saved: number[] = [];
    const all = new DocumentServer({ documents: { board: { save: ({ version }) => void saved.push(version) } } });
    const changes = ["one", "two", "three"].map((title) => all.board().set({ ...empty, title }));
    await all.world.advance(3);
    const atClose = all.server.close().then(() => [...saved]);
    await all.world.advance(5_000);
    expect(await atClose).toEqual([1, 2, 3]);
    expect((await Promise.all(changes)).map(({ version }) => version)).toEqual([1, 2, 3]);
  });

  test("[SH9] `close` waits for a change that an `onSession` listener makes when a disconnected session ends", async () => {
    const db = database();
    const all = new DocumentServer({
      authenticate: (() => ({ userId: "ann" })) as never,
      documents: { board: db.hooks },
    });
    await all.done(all.board().set(empty));
    all.server.onSession(
      ({ type }) => type === "ended" && void all.board().update((draft) => void (draft.title = "left")),
    );
    const peer = await all.world.connect({ headers: { authorization: "Bearer ann" } });
    peer.socket.drop();
    await all.world.advance(50);
    expect(all.server.stats().sessions).toMatchObject({ away: 1 });
    expect(db.saved).toEqual([1]);
    const closed = all.server.close();
    await all.world.advance(10_000);
    await closed;
    expect(db.rows.get("a")).toMatchObject({ document: { title: "left" }, version: 2 });
  });

  test("[SH9] `close` waits for successive changes of an asynchronous `onSession` listener, for at most `graceMs`", async () => {
    const db = database();
    const all: DocumentServer = new DocumentServer({
      authenticate: (() => ({ userId: "ann" })) as never,
      documents: { board: db.hooks },
    });
    for (const key of ["a", "b"]) await all.done(all.board(key).set(empty));
    all.server.onSession(async ({ type }) => {
      if (type !== "ended") return;
      for (const key of ["a", "b"])
        if (await all.board(key).get()) await all.board(key).update((draft) => void (draft.title = "left"));
      await never();
    });
    const peer = await all.world.connect({ headers: { authorization: "Bearer ann" } });
    peer.socket.drop();
    await all.world.advance(50);
    let isClosed = false;
    void all.server.close({ graceMs: 1_000 }).then(() => (isClosed = true));
    await all.world.advance(900);
    expect(isClosed).toBe(false);
    await all.world.advance(2_000);
    expect(isClosed).toBe(true);
    for (const key of ["a", "b"]) expect(db.rows.get(key)).toMatchObject({ document: { title: "left" }, version: 2 });
  });

  test.each(["load", "save"] as const)(
    "[SH9] if `%s` never answers, `close` leaves no timer, and the caller gets UNAVAILABLE, as an error or as its cause",
    async (name) => {
      const all = new DocumentServer({ documents: { board: { [name]: never } } });
      const told = outcomeOf(all.board().set(empty));
      await all.world.advance(50);
      const closed = all.server.close({ graceMs: 1_000 });
      await all.world.advance(5_000);
      await closed;
      const why = { code: "UNAVAILABLE", field: name };
      expect(await told).toMatchObject(name === "load" ? why : { code: "NOT_SAVED", cause: why });
      expect(all.environment.timers).toBe(0);
    },
  );
});
