// A reset names the true reason. If the missed events still exist, the client receives the events
// instead of a reset.
import type { Position } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import { describe, expect, test } from "vitest";
import { longHistory, historyServer, subscribeResults, subscribe } from "./support/history-server.js";
import { fairWeather, SimBroker } from "./support/sim-broker.js";
import { ServerHarness } from "./support/server-harness.js";

/**
 * One or two instances, a channel whose positions are known by number, and a store that can be
 * rolled back.
 */
function history(broker = new SimBroker(fairWeather), options: object = {}) {
  const first = historyServer(options, broker);
  const { harness, server, environment } = first;
  const publish = async (from: number, to: number, by = server, text = ""): Promise<void> => {
    for (let number = from; number <= to; number++) void by.channel("log", "a").publish("line", `${number}${text}`);
    await harness.advance(500);
  };
  /** The position after this many events. */
  const at = (offset: number): Position => {
    const { epoch, log } = broker.store.topics.get("log:a")!;
    return { epoch, offset, id: log.find(({ link }) => link!.offset === offset)!.link!.id };
  };
  const resume = async (position: Position, on: ServerHarness = harness) => {
    const peer = await on.connect();
    await peer.send(subscribe({ channel: "log:a", position }));
    await on.advance(3_000);
    return subscribeResults(peer)[0]!;
  };
  const join = async (on: ServerHarness = harness) => {
    const peer = await on.connect();
    await peer.send(subscribe("log:a"));
    await on.advance(100);
    return peer;
  };
  /**
   * Resumes a client whose answer waits, because another channel of the same message cannot be read
   * yet. The returned function ends the wait and returns the result for the channel.
   */
  let waits = 0;
  const waiting = async (position: Position) => {
    let release!: () => void;
    const released = new Promise<void>((resolve) => (release = resolve));
    const other = `log:other${waits++}`;
    const { read } = first.link;
    first.link.read = async (topic, asked) => {
      if (topic === other) await released;
      return read.call(first.link, topic, asked);
    };
    const peer = await harness.connect();
    peer.socket.send(JSON.stringify(subscribe({ channel: "log:a", position }, other)));
    await harness.advance(100);
    return async () => {
      expect(subscribeResults(peer)).toEqual([]);
      release();
      await harness.advance(500);
      return subscribeResults(peer)[0]!;
    };
  };
  /** Rolls the store back. Every instance notices. */
  const rollBack = async (to: ReturnType<typeof broker.store.snapshot>) => {
    broker.store.restore(to);
    broker.down();
    broker.up();
    await harness.advance(500);
  };
  const beside = () => {
    const other = createServer(longHistory, { environment, broker });
    return { server: other, harness: new ServerHarness(other, environment), link: broker.links.at(-1)! };
  };
  return { ...first, publish, at, resume, join, beside, waiting, rollBack };
}

describe("[RV24] after the store was rolled back", () => {
  test.each(["has noticed it", "has not noticed it", "has joined since"])(
    "a client that was away before the roll-back receives the events of the store, from an instance that %s",
    async (how) => {
      const { publish, at, resume, join, broker, harness, server, beside } = history();
      const stays = await join();
      await publish(1, 5);
      const away = at(5);
      await publish(6, 20);
      const old = broker.store.snapshot();
      await publish(21, 30);
      const lost = at(30);
      broker.store.restore(old);
      if (how === "has noticed it") await harness.advance(20_000);
      const { harness: on } = how === "has joined since" ? beside() : { harness };
      const { missed, reset } = await resume(away, on);
      expect(reset).toBeUndefined();
      // An instance that has not noticed the roll-back also replays the lost events, and sends
      // `fork` as soon as it notices.
      expect(missed).toHaveLength(how === "has not noticed it" ? 25 : 15);
      expect((await resume(at(20), on)).reset).toBeUndefined();
      expect((await resume(lost, on)).reset).toBe(how === "has not noticed it" ? undefined : "fork");
      await harness.advance(20_000);
      expect(stays.last("reset").data).toMatchObject({ reason: "fork", position: { offset: 20 } });
      // Later events link for members that were connected before, too.
      await publish(31, 32, server);
      expect((await resume(away, on)).missed).toHaveLength(17);
    },
  );

  test("an instance that has not noticed the roll-back sends no `fork` to clients of the new branch", async () => {
    const { publish, at, resume, join, broker, link, harness, beside } = history();
    await join();
    await publish(1, 5);
    const old = broker.store.snapshot();
    await publish(6, 10);
    const lost = at(8);
    link.isDeaf = true;
    broker.store.restore(old);
    const other = beside();
    await publish(6, 12, other.server, " again");
    // Positions of the new branch, ahead of the old branch and beside it.
    const [beside7, ahead12] = [at(7), at(12)];
    expect(await resume(beside7)).toMatchObject({ missed: Array.from({ length: 5 }, () => expect.anything()) });
    expect((await resume(ahead12)).reset).toBeUndefined();
    expect((await resume(lost)).reset).toBe("fork");
    expect(harness.environment.now()).toBeGreaterThan(0);
  });

  test("an instance that has not noticed that the store was emptied sends no reset to clients of the new history", async () => {
    const { publish, at, resume, join, broker, link, beside } = history();
    await join();
    await publish(1, 5);
    const gone = at(3);
    link.isDeaf = true;
    broker.store.empty();
    const other = beside();
    await publish(1, 3, other.server, " anew");
    expect(await resume(at(1))).toMatchObject({ missed: [expect.anything(), expect.anything()] });
    expect((await resume(gone)).reset).toBe("epoch");
  });

  test("missed events that were too many before the roll-back are replayed if their size is small enough afterwards", async () => {
    const { publish, at, resume, join, broker, link, harness, server, beside } = history();
    await join();
    await publish(1, 5);
    const away = at(2);
    const old = broker.store.snapshot();
    for (let index = 0; index < 40; index++) void server.channel("log", "a").publish("line", "x".repeat(10_000));
    await harness.advance(1_000);
    expect((await resume(away)).reset).toBe("too_many");
    broker.store.restore(old);
    // The other branch is longer, but small in bytes.
    link.isDeaf = true;
    await publish(6, 60, beside().server, " again");
    link.isDeaf = false;
    const { missed, reset } = await resume(away);
    expect(reset).toBeUndefined();
    expect(missed).toHaveLength(58);
  });
});

describe("[RV24] [RV26] a roll-back that is noticed while a client waits for another channel", () => {
  test("the client still receives every missed event that the store has", async () => {
    const { publish, at, join, broker, waiting, rollBack } = history();
    await join();
    await publish(1, 20);
    const old = broker.store.snapshot();
    const away = at(5);
    await publish(21, 30);
    const answer = await waiting(away);
    await rollBack(old);
    const { missed, reset } = await answer();
    expect(reset).toBeUndefined();
    expect(missed).toHaveLength(15);
  });

  test("the client receives the missed events if these were too many only before the roll-back", async () => {
    const { publish, at, join, resume, broker, server, harness, waiting, rollBack } = history();
    await join();
    await publish(1, 5);
    const [away, old] = [at(2), broker.store.snapshot()];
    for (let index = 0; index < 40; index++) void server.channel("log", "a").publish("line", "x".repeat(10_000));
    await harness.advance(500);
    expect((await resume(away)).reset).toBe("too_many");
    const answer = await waiting(away);
    await rollBack(old);
    const { missed, reset } = await answer();
    expect(reset).toBeUndefined();
    expect(missed).toHaveLength(3);
  });

  test.each([0, 3, 9])(
    "the client receives `trimmed` instead of `too_many` at offset %i of a trimmed history",
    async (offset) => {
      const { publish, at, join, resume, broker, waiting, rollBack } = history();
      await publish(1, 20);
      const away = offset === 0 ? { ...at(1), offset, id: "" } : at(offset);
      broker.store.trim();
      // From here on, the instance buffers no more than the store holds.
      await join();
      const old = broker.store.snapshot();
      await publish(21, 30);
      expect((await resume(away)).reset).toBe("trimmed");
      const answer = await waiting(away);
      await rollBack(old);
      expect((await answer()).reset).toBe("trimmed");
    },
  );

  test("a client exactly at the edge of a trimmed history receives every event", async () => {
    const { publish, at, join, broker, waiting, rollBack } = history();
    await join();
    await publish(1, 20);
    const away = at(10);
    broker.store.trim();
    const old = broker.store.snapshot();
    await publish(21, 30);
    const answer = await waiting(away);
    await rollBack(old);
    expect((await answer()).missed).toHaveLength(10);
  });

  test("the client receives `fork` if its position is lost, and `epoch` if the store has a new epoch", async () => {
    const { publish, at, join, broker, waiting, rollBack } = history();
    const empty = broker.store.snapshot();
    await join();
    await publish(1, 20);
    const old = broker.store.snapshot();
    await publish(21, 30);
    const answers = [await waiting(at(25)), await waiting(at(15))];
    await rollBack(old);
    expect((await answers[0]!()).reset).toBe("fork");
    await rollBack(empty);
    expect((await answers[1]!()).reset).toBe("epoch");
  });
});

test("[RV24] [RV26] a client that reads slowly while a roll-back is noticed receives the events of the store", async () => {
  const { publish, at, join, broker, server, harness, rollBack } = history(undefined, {
    heartbeat: { intervalMs: 600_000 },
  });
  await join();
  const before = await harness.connect();
  await before.send(subscribe("log:b", "log:c"));
  await harness.advance(100);
  const large = subscribeResults(before).map(({ position }, index) => ({
    channel: ["log:b", "log:c"][index],
    position,
  }));
  for (const key of ["b", "c"])
    for (let index = 0; index < 120; index++) void server.channel("log", key).publish("line", "x".repeat(1_900));
  await publish(1, 5);
  const [away, old] = [at(2), broker.store.snapshot()];
  for (let index = 0; index < 40; index++) void server.channel("log", "a").publish("line", "x".repeat(10_000));
  await harness.advance(500);
  const peer = await harness.connect();
  peer.socket.stall(true);
  peer.socket.send(JSON.stringify(subscribe(...large, { channel: "log:a", position: away })));
  await harness.advance(500);
  await rollBack(old);
  peer.socket.stall(false);
  await harness.advance(3_000);
  const [first, second, third] = subscribeResults(peer);
  for (const { missed } of [first!, second!]) expect(missed).toHaveLength(120);
  expect(third!.reset).toBeUndefined();
  expect(third!.missed).toHaveLength(3);
});

describe("[RV24] the reason of a reset", () => {
  test("`trimmed` is not sent if the store has the trimmed events again", async () => {
    const { publish, at, resume, join, broker } = history();
    await publish(1, 20);
    const [away, whole] = [at(3), broker.store.snapshot()];
    broker.store.trim();
    await join();
    expect((await resume(away)).reset).toBe("trimmed");
    broker.store.restore(whole);
    expect(await resume(away)).toMatchObject({ missed: Array.from({ length: 17 }, () => expect.anything()) });
  });

  test("`trimmed` costs the store two reads for all clients that resume at once", async () => {
    const { publish, at, join, harness, broker, reads } = history();
    await publish(1, 20);
    const away = at(3);
    broker.store.trim();
    await join();
    const before = reads.length;
    const peers = await Promise.all(Array.from({ length: 200 }, () => harness.connect()));
    for (const peer of peers) peer.socket.send(JSON.stringify(subscribe({ channel: "log:a", position: away })));
    await harness.advance(1_000);
    for (const peer of peers) expect(subscribeResults(peer)[0]!.reset).toBe("trimmed");
    expect(reads.length - before).toBeLessThanOrEqual(2);
  });

  test("`server` is sent only to clients that missed an entry of the log that is not a valid event", async () => {
    const { publish, at, resume, join, broker, link, harness, beside } = history();
    const stays = await join();
    await publish(1, 5);
    void link.publish("log:a", "strange", "no event", { log: { size: 5_000, ttlMs: 600_000 } });
    await harness.advance(500);
    await publish(7, 9);
    expect(stays.last("reset").data.reason).toBe("server");
    for (const on of [harness, beside().harness]) {
      expect((await resume(at(3), on)).reset).toBe("server");
      expect((await resume(at(7), on)).missed).toHaveLength(2);
    }
    // The same holds for an instance that did not receive the announcement.
    link.isDeaf = true;
    void broker.links.at(-1)!.publish("log:a", "strange too", "no event", { log: { size: 5_000, ttlMs: 600_000 } });
    await harness.advance(30_000);
    expect(stays.of("reset").map(({ data }) => data.reason)).toEqual(["server", "server"]);
  });

  test("if the store cannot be reached, no reason is sent: subscribe is refused with UNAVAILABLE unless the buffer can resume the client", async () => {
    const { publish, at, join, harness, link, resume } = history();
    await join();
    await publish(1, 5);
    const forged = { ...at(3), id: "x" };
    const good = at(3);
    link.cut();
    expect(await resume(forged)).toMatchObject({ ok: false, error: { code: "UNAVAILABLE" } });
    expect((await resume(good)).missed).toHaveLength(2);
    link.mend();
    await harness.advance(1_000);
    expect((await resume(forged)).reset).toBe("fork");
  });

  test("`fork` costs the store one comparison for all clients that resume at once, and no read of known events", async () => {
    const { publish, at, join, harness, link, reads } = history();
    await join();
    await publish(1, 50);
    let asked = 0;
    const { positions } = link;
    link.positions = (topics) => (asked++, positions.call(link, topics));
    const before = reads.length;
    const peers = await Promise.all(Array.from({ length: 200 }, () => harness.connect()));
    for (const [index, peer] of peers.entries())
      peer.socket.send(JSON.stringify(subscribe({ channel: "log:a", position: { ...at(1 + (index % 49)), id: "x" } })));
    await harness.advance(1_000);
    for (const peer of peers) expect(subscribeResults(peer)[0]!.reset).toBe("fork");
    expect(asked).toBeLessThan(4);
    expect(reads.length).toBe(before);
  });
});

test("[RV25] events published while a client waits for its answer do not push its missed events out of the buffer", async () => {
  const { publish, at, join, harness, server } = history(undefined, { heartbeat: { intervalMs: 600_000 } });
  await join();
  const before = await harness.connect();
  await before.send(subscribe("log:b", "log:c"));
  await harness.advance(100);
  const large = subscribeResults(before).map(({ position }, index) => ({
    channel: ["log:b", "log:c"][index],
    position,
  }));
  for (const key of ["b", "c"])
    for (let index = 0; index < 120; index++) void server.channel("log", key).publish("line", "x".repeat(1_900));
  await publish(1, 60);
  await harness.advance(60_000);
  const peer = await harness.connect();
  peer.socket.stall(true);
  // The first two answers fill the limit of owed bytes, so the third waits until the client has
  // read.
  peer.socket.send(JSON.stringify(subscribe(...large, { channel: "log:a", position: at(20) })));
  await harness.advance(100);
  await publish(61, 360);
  peer.socket.stall(false);
  await harness.advance(3_000);
  const [first, second, third] = subscribeResults(peer);
  for (const { missed } of [first!, second!]) expect(missed).toHaveLength(120);
  expect(third!.reset).toBeUndefined();
  expect(third!.missed).toHaveLength(340);
});

describe("[RV25] a client that waits for its answer while more events are published than a channel usually buffers", () => {
  test("receives all of these events, even if the client had missed nothing when it subscribed", async () => {
    const { publish, at, join, waiting } = history();
    await join();
    await publish(1, 20);
    const answer = await waiting(at(20));
    await publish(21, 320);
    expect((await answer()).missed).toHaveLength(300);
  });

  test("receives `trimmed`, not `too_many`, if the store no longer has the missed events", async () => {
    const { publish, at, join, broker, harness, resume, waiting, beside } = history(undefined, {
      heartbeat: { intervalMs: 600_000 },
    });
    await publish(1, 20);
    const away = at(3);
    broker.store.trim();
    await join();
    expect((await resume(away)).reset).toBe("trimmed");
    // Wait until the channel is back to the usual buffer.
    await harness.advance(30_000);
    const answer = await waiting(away);
    await publish(21, 320);
    expect((await answer()).reset).toBe("trimmed");
    expect((await resume(away, beside().harness)).reset).toBe("trimmed");
  });
});

test("[RV27] a position on another branch is answered with `fork` by an instance that buffers the event at the offset, and with `trimmed` by others", async () => {
  const { publish, at, join, resume, broker, rollBack, beside, harness, server } = history();
  await join();
  await publish(1, 10);
  const old = broker.store.snapshot();
  await publish(11, 15);
  const lost = at(13);
  await rollBack(old);
  await publish(11, 30, server, " again");
  const kept = at(13);
  broker.store.trim();
  broker.store.trim();
  expect(broker.store.topics.get("log:a")!.log).toHaveLength(7);
  expect((await resume(lost, harness)).reset).toBe("fork");
  // The instance replays buffered events to clients on the same chain.
  expect((await resume(kept, harness)).missed).toHaveLength(17);
  const other = beside();
  for (const position of [lost, kept]) expect((await resume(position, other.harness)).reset).toBe("trimmed");
});
