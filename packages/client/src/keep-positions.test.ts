import { describe, expect, test, vi } from "vitest";
import { at, from, missed, onJournal, written } from "../test/support/journal.js";
import { pass, settle, testClient, withFakeTime } from "../test/support/test-client.js";
import { keepPositions, type PositionStorage } from "./keep-positions.js";

withFakeTime();

const KEY = "holdfast:agents:ws://localhost/ws";

/** A storage like sessionStorage. If `delayMs` is passed, it answers later, like AsyncStorage. */
function memory(text: string | null = null, delayMs?: number) {
  const items = new Map<string, string>();
  if (text !== null) items.set(KEY, text);
  const writes: string[] = [];
  const later = async <Value>(value: Value): Promise<Value> => {
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    return value;
  };
  const storage: PositionStorage = {
    getItem(key) {
      const found = items.get(key) ?? null;
      return delayMs === undefined ? found : later(found);
    },
    setItem(key, value) {
      writes.push(value);
      items.set(key, value);
      return delayMs === undefined ? undefined : later(undefined);
    },
  };
  const kept = (): unknown => JSON.parse(items.get(KEY) ?? "[]");
  return { storage, items, writes, kept };
}

const keptAt = (offset: number): string => JSON.stringify([["journal", at(offset)]]);

describe("Stored positions", () => {
  test("[RS14] a new client resumes where the previous client's handlers had finished", async () => {
    const { storage, kept } = memory();
    const first = onJournal([{ position: at(4) }], { positions: keepPositions(storage) });
    first.listen();
    await settle();
    expect(kept()).toEqual([["journal", at(4)]]);
    first.receive(written(5));
    await settle();
    first.client.disconnect();

    const second = onJournal([missed(6, 7)], { positions: keepPositions(storage) });
    second.listen();
    await settle();
    expect(second.asked()).toEqual([from(at(5))]);
    expect(second.world.sockets.last.sent.map(({ type }) => type)).toEqual(["auth", "subscribe"]);
    second.receive(written(8));
    expect(second.heard).toEqual([6, 7, 8]);
  });

  test("[RS14] a new client receives a reset if the channel cannot be resumed", async () => {
    const { storage, kept } = memory(keptAt(5));
    const { heard, listen } = onJournal([{ reset: "trimmed", position: at(40) }], {
      positions: keepPositions(storage),
    });
    listen();
    await settle();
    expect(heard).toEqual(["trimmed"]);
    expect(kept()).toEqual([["journal", at(40)]]);
  });

  test("[RS14] an event counts when its handlers have finished, including promises, and not before earlier events", async () => {
    const { storage, kept } = memory(keptAt(1));
    const { journal, receive } = onJournal([], { positions: keepPositions(storage) });
    const finish: (() => void)[] = [];
    const slow = (): Promise<void> => new Promise((resolve) => finish.push(resolve));
    journal.on("written", slow);
    journal.onReset(slow);
    await settle();
    receive(written(2), { ...written(3), event: "erased" });
    receive({ type: "reset", channel: "journal", data: { reason: "fork", position: at(9, "e2") } });
    await settle();
    expect(kept()).toEqual([["journal", at(1)]]);
    finish[0]!();
    await settle();
    expect(kept()).toEqual([["journal", at(3)]]);
    finish[1]!();
    await settle();
    expect(kept()).toEqual([["journal", at(9, "e2")]]);
  });

  test("[RS14] a handler that throws or rejects counts as finished", async () => {
    const { storage, kept } = memory(keptAt(1));
    const { journal, receive } = onJournal([], { positions: keepPositions(storage) });
    journal.on("written", (line) => {
      if (line === 2) throw new Error("bad handler");
      return Promise.reject(new Error("bad handler"));
    });
    await settle();
    receive(written(2), written(3));
    await pass(5);
    expect(kept()).toEqual([["journal", at(3)]]);
  });

  test("[RS14] if the server sends no position, the next client receives a reset", async () => {
    const { storage } = memory();
    const first = onJournal([{}], { positions: keepPositions(storage) });
    first.listen();
    await settle();
    first.client.disconnect();
    const second = onJournal([{ reset: "server" }], { positions: keepPositions(storage) });
    second.listen();
    await settle();
    expect(second.heard).toEqual(["server"]);
  });

  test("[RS10] leaving a channel removes the stored position, and a handler that finishes later does not restore the position", async () => {
    const { storage, kept } = memory(keptAt(1));
    const { asked, journal, receive } = onJournal([{ missed: [] }, { position: at(9) }], {
      positions: keepPositions(storage),
    });
    journal.on("written", () => new Promise((resolve) => setTimeout(resolve, 10)));
    await settle();
    receive(written(2));
    journal.leave();
    await pass(10);
    expect(kept()).toEqual([]);
    journal.on("written", () => undefined);
    await settle();
    expect(asked()).toEqual([from(at(1)), ["journal"]]);
  });

  test("[RS15] the key is the protocol's name and the address without user, password and query", async () => {
    const { storage, items } = memory();
    const options = { positions: keepPositions(storage), url: "wss://me:p@ss@example.com/ws?token=secret" };
    const { listen } = onJournal([{ position: at(4) }], options);
    listen();
    await settle();
    expect([...items.keys()]).toEqual(["holdfast:agents:wss://example.com/ws"]);
  });

  test("[RS15] the changes of one turn are written once, and a write waits until the previous write has finished", async () => {
    const { storage, writes, kept } = memory(keptAt(0), 50);
    const { journal, receive } = onJournal([], { positions: keepPositions(storage) });
    journal.on("written", async () => undefined);
    await pass(100);
    const lines = Array.from({ length: 20 }, (_, index) => written(index + 1));
    receive(...lines);
    await pass(49);
    expect(writes).toHaveLength(1);
    await pass(60);
    expect(writes).toHaveLength(2);
    expect(kept()).toEqual([["journal", at(20)]]);
  });

  test("[RS15] handlers that finish one after the other in a turn cause two writes in total", async () => {
    const { storage, writes, kept } = memory(keptAt(0));
    const { journal, receive } = onJournal([], { positions: keepPositions(storage) });
    journal.on("written", async () => undefined);
    await settle();
    receive(...Array.from({ length: 20 }, (_, index) => written(index + 1)));
    await pass(5);
    expect(writes).toHaveLength(2);
    expect(kept()).toEqual([["journal", at(20)]]);
  });

  test("[RS15] the last 1,000 channels are stored, and the positions that have not changed for the longest time are dropped first", async () => {
    const { storage, kept } = memory(keptAt(1));
    const keeper = keepPositions(storage)({ name: "agents", url: "ws://localhost/ws", clock, report: vi.fn() });
    expect(keeper.wait(true, vi.fn())).toBe(false);
    for (let channel = 1; channel <= 999; channel++) keeper.set(`c${channel}`, at(channel));
    keeper.set("journal", at(2));
    keeper.set("one more", at(1));
    await settle();
    const names = (kept() as [string, unknown][]).map(([name]) => name);
    expect(names).toHaveLength(1_000);
    expect([names[0], ...names.slice(-2)]).toEqual(["c2", "journal", "one more"]);
    const again = keepPositions(memory(JSON.stringify([["c0", at(1)], ...(kept() as [])])).storage);
    const reader = again({ name: "agents", url: "ws://localhost/ws", clock, report: vi.fn() });
    reader.wait(true, vi.fn());
    expect([reader.get("c0"), reader.get("c2")]).toEqual([undefined, at(2)]);
    await pass(1);
  });
});

const clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms: number, run: () => void) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

describe("Storages", () => {
  test("[RS16] subscribes wait for a storage that answers later, but no longer than 1 s", async () => {
    const { storage } = memory(keptAt(5), 900);
    const { asked, client, listen, world } = onJournal([missed(6)], { positions: keepPositions(storage) });
    listen();
    client.channel("board", "b1").on("moved", () => undefined);
    await pass(899);
    expect(client.status.get().name).toBe("ready");
    expect(asked()).toEqual([]);
    await pass(1);
    expect(asked()).toEqual([[...from(at(5)), "board:b1"]]);
    expect(world.errors).toEqual([]);
    await pass(1_000);
  });

  test("[RS16] the storage is read once, even if the client connects several times", async () => {
    const { storage } = memory(keptAt(5), 10);
    const getItem = vi.spyOn(storage, "getItem");
    const { listen, world } = onJournal([], { positions: keepPositions(storage) });
    listen();
    await settle();
    world.sockets.last.end();
    await pass(5_000);
    world.sockets.last.end();
    await pass(5_000);
    expect(getItem).toHaveBeenCalledTimes(1);
  });

  test("[RS16] no timer runs while there is no connection to wait for", async () => {
    const { storage } = memory(keptAt(5), 100_000);
    const { asked, client, listen, world } = onJournal([{ position: at(9) }], { positions: keepPositions(storage) });
    listen();
    await pass(500);
    client.disconnect();
    await settle();
    // The storage's own timer.
    expect(vi.getTimerCount()).toBe(1);
    client.connect();
    await pass(999);
    expect(asked()).toEqual([]);
    await pass(1);
    expect(asked()).toEqual([["journal"]]);
    expect(world.errors).toHaveLength(1);
    client.disconnect();
    await pass(100_000);
  });

  test("[RS17] a storage that answers after more than 1 s is reported, and the late answer is ignored", async () => {
    const { storage } = memory(keptAt(5), 1_500);
    const { asked, listen, world } = onJournal([{ position: at(9) }], { positions: keepPositions(storage) });
    listen();
    await pass(2_000);
    expect(asked()).toEqual([["journal"]]);
    expect(world.errors).toMatchObject([
      {
        error: { code: "HANDLER_FAILED", message: expect.stringContaining("1000") },
        context: { source: "storage" },
      },
    ]);
    world.sockets.last.end();
    await pass(5_000);
    expect(asked()).toEqual([from(at(9))]);
    await pass(5_000);
  });

  const bad = new Error("no storage here");
  test.each<[string, PositionStorage]>([
    [
      "throws",
      {
        getItem() {
          throw bad;
        },
        setItem() {
          throw bad;
        },
      },
    ],
    ["rejects", { getItem: () => Promise.reject(bad), setItem: () => Promise.reject(bad) }],
  ])("[RS17] a storage that %s is reported once, and the client continues without it", async (_, storage) => {
    const { asked, heard, listen, receive, world } = onJournal([{ position: at(4) }], {
      positions: keepPositions(storage),
    });
    listen();
    await settle();
    expect(asked()).toEqual([["journal"]]);
    receive(written(5));
    await pass(10);
    receive(written(6));
    await pass(10);
    expect(heard).toEqual(["storage", 5, 6]);
    expect(world.errors).toMatchObject([{ error: { cause: bad }, context: { source: "storage" } }]);
  });

  test("[RS17] a storage that can be read but not written is also reported", async () => {
    const { storage } = memory();
    vi.spyOn(storage, "setItem").mockImplementation(() => Promise.reject(bad));
    const { heard, listen, receive, world } = onJournal([{ position: at(4) }], { positions: keepPositions(storage) });
    listen();
    await settle();
    receive(written(5));
    await pass(10);
    expect(heard).toEqual([5]);
    expect(world.errors).toHaveLength(1);
  });

  test.each([
    "rubbish",
    "null",
    "7",
    '{"journal":{"epoch":"e1","offset":5,"id":"i5"}}',
    '["journal"]',
    '[["journal"]]',
    '[["journal",null]]',
    '[["journal",{"epoch":"e1","offset":-1,"id":"i5"}]]',
    '[["journal",{"epoch":"e1","offset":0.5,"id":"i5"}]]',
    '[["journal",{"epoch":"e1","offset":"5","id":"i5"}]]',
    '[["journal",{"epoch":"e1","offset":5}]]',
    `[["journal",{"epoch":"${"e".repeat(65)}","offset":5,"id":"i5"}]]`,
    `[["journal",{"epoch":"e1","offset":5,"id":"${"i".repeat(129)}"}]]`,
    '[[5,{"epoch":"e1","offset":5,"id":"i5"}]]',
  ])("[RS17] the stored value %s is not a list of positions: it is reported and then replaced", async (text) => {
    const { storage, kept } = memory(text);
    const { asked, listen, world } = onJournal([{ position: at(4) }], { positions: keepPositions(storage) });
    listen();
    await settle();
    expect(asked()).toEqual([["journal"]]);
    expect(world.errors).toMatchObject([{ error: { code: "HANDLER_FAILED" }, context: { source: "storage" } }]);
    expect(kept()).toEqual([["journal", at(4)]]);
  });

  test.each(["", "[", '[["journal",{"epoch":"e1","off'])(
    "[RS23] if %j is stored, each channel with history receives one reset with the reason storage",
    async (text) => {
      const { storage } = memory(text);
      const { client, world, journal, heard, listen, receive } = onJournal(
        [{}, { position: at(4) }, {}, { missed: [], position: at(5) }, { position: at(7) }],
        { positions: keepPositions(storage) },
      );
      const board = client.channel("board", "b1");
      board.on("moved", () => undefined);
      board.onReset(() => heard.push("board"));
      listen();
      await settle();
      expect(world.errors).toHaveLength(1);
      expect(heard).toEqual(["storage"]);
      receive(written(5));
      // The position is known again: there is no reset after a drop or after leaving the channel.
      world.sockets.last.end();
      await pass(5_000);
      journal.leave();
      await settle();
      listen();
      await settle();
      receive(written(8));
      expect(heard).toEqual(["storage", 5, 8]);
      await pass(1);
    },
  );

  test("[RS23] if the storage takes too long, the reset is delivered once, even if the connection drops before the answer to `subscribe`", async () => {
    const { storage } = memory(keptAt(5), 1_500);
    const { asked, heard, listen, world, server } = onJournal([{ position: at(9) }], {
      positions: keepPositions(storage),
    });
    server.holds = true;
    listen();
    await pass(1_200);
    world.sockets.last.end();
    server.holds = false;
    await pass(5_000);
    expect(asked()).toEqual([["journal"]]);
    expect(heard).toEqual(["storage"]);
  });

  test("[RS23] if nothing is stored yet, there is no reset", async () => {
    const { heard, listen } = onJournal([{ position: at(9) }], { positions: keepPositions(memory(null).storage) });
    listen();
    await settle();
    expect(heard).toEqual([]);
    await pass(1);
  });

  test("[RS17] a stored position of a channel without history is not used", async () => {
    const { storage } = memory(JSON.stringify([["board:b1", at(5)]]));
    const { client, world } = testClient(undefined, { positions: keepPositions(storage) });
    client.channel("board", "b1").on("moved", () => undefined);
    await settle();
    expect(world.sockets.last.of("subscribe")[0]!.data.channels).toEqual(["board:b1"]);
    await pass(1);
  });
});
