import { describe, expect, test } from "vitest";
import { BOARD, type BoardOptions, DocumentServer, empty } from "../support/document-server.js";
import { database, type Hooks, outcomeOf } from "./database.js";

describe("a change whose answer from the broker is lost", () => {
  /** Makes a change that the broker stores, and cuts the link before its answer arrives. */
  async function cutOff(hooks: Hooks, options: BoardOptions = {}) {
    const all = new DocumentServer({ documents: { board: hooks }, ...options });
    await all.done(all.board().set(empty));
    const { timers } = all.environment;
    const change = outcomeOf(all.board().update((draft) => void draft.cards.push({ id: "1", text: "x" })));
    const stored = () => all.broker.store.topics.get(BOARD)!.offset === 2;
    for (let quarters = 0; quarters < 100 && !stored(); quarters++) await all.world.advance(0.25);
    expect(stored()).toBe(true);
    all.broker.links[0]!.cut();
    return { all, change, timers };
  }

  test("[SH10] is looked up in the broker; if the broker has stored the change, `save` is called and `update` resolves", async () => {
    const db = database();
    const { all, change } = await cutOff(db.hooks);
    await all.world.advance(100);
    all.broker.links[0]!.mend();
    await all.world.advance(500);
    expect(await change).toMatchObject({ version: 2, offset: 2, document: { cards: [{ id: "1" }] } });
    expect(db.saved).toEqual([1, 2]);
  });

  test("[SH10] is found even if another instance has changed the document since", async () => {
    const db = database();
    const { all, change } = await cutOff(db.hooks);
    const other = new DocumentServer({ documents: { board: db.hooks } }, all);
    const another = outcomeOf(other.board().update((draft) => void (draft.title = "b")));
    await all.world.advance(100);
    all.broker.links[0]!.mend();
    await all.world.advance(500);
    expect(await change).toMatchObject({ version: 2 });
    expect(await another).toMatchObject({ version: 3, document: { title: "b", cards: [{ id: "1" }] } });
    expect(db.rows.get("a")).toMatchObject({ version: 3 });
  });

  test("[SH10] rejects with UNAVAILABLE if the broker stays unreachable, and is saved without a further call when the broker returns", async () => {
    const db = database();
    const { all, change } = await cutOff(db.hooks);
    await all.world.advance(30_000);
    expect(await change).toMatchObject({ code: "UNAVAILABLE" });
    expect(db.saved).toEqual([1]);
    all.broker.links[0]!.mend();
    await all.world.advance(11_000);
    expect(db.saved).toEqual([1, 2]);
    await all.world.advance(60_000);
    expect(db.saved).toEqual([1, 2]);
    await all.done(all.server.close());
    expect(all.environment.timers).toBe(0);
  });

  test("[SH10] is saved later if the database fails at first", async () => {
    const db = database();
    const { all, change } = await cutOff(db.hooks);
    db.failing = new Error("down");
    await all.world.advance(3_000);
    expect(await change).toMatchObject({ code: "UNAVAILABLE" });
    all.broker.links[0]!.mend();
    await all.world.advance(30_000);
    expect(db.saved).toEqual([1]);
    db.failing = undefined;
    await all.world.advance(11_000);
    expect(db.saved).toEqual([1, 2]);
  });

  test("[SH10] is saved by `close` at the latest; if the broker stays unreachable, an error is logged", async () => {
    const db = database();
    const { all, change } = await cutOff(db.hooks);
    await all.world.advance(1_000);
    await change;
    all.broker.links[0]!.mend();
    expect(db.saved).toEqual([1]);
    const closed = all.server.close();
    await all.world.advance(10_000);
    await closed;
    expect(db.saved).toEqual([1, 2]);
    expect(all.environment.timers).toBe(0);

    const errors: object[] = [];
    const silent = () => {};
    const logger = {
      debug: silent,
      info: silent,
      warn: silent,
      error: (fields: object) => void errors.push(fields),
    };
    const { all: never, change: told } = await cutOff(database().hooks, { logger });
    await never.world.advance(3_000);
    await told;
    const end = never.server.close();
    await never.world.advance(20_000);
    await end;
    expect(errors).toContainEqual({});
    expect(never.environment.timers).toBe(0);
  });

  test("[SH10] is not looked up if there is no hook", async () => {
    const { all, change, timers } = await cutOff({});
    await all.world.advance(3_000);
    expect(await change).toMatchObject({ code: "UNAVAILABLE" });
    expect(all.environment.timers).toBe(timers);
  });
});
