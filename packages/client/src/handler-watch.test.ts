import type { ServerMessage } from "@holdfast/protocol";
import { describe, expect, test } from "vitest";
import { at, from, missed, onJournal, written } from "../test/support/journal.js";
import { pass, settle, testClient, withFakeTime } from "../test/support/test-client.js";

withFakeTime();

const never = (): Promise<void> => new Promise(() => undefined);

/** A handler that runs until the test ends the call. */
function slow() {
  const heard: unknown[] = [];
  let finish: () => void = () => undefined;
  let isSlow = true;
  const handler = (value: unknown): Promise<void> | undefined => {
    heard.push(value);
    return isSlow ? new Promise((resolve) => (finish = resolve)) : undefined;
  };
  return {
    heard,
    handler,
    async go() {
      isSlow = false;
      finish();
      await settle();
    },
  };
}

const moved = (data: unknown, channel = "board:b1"): ServerMessage => ({
  type: "event",
  channel,
  event: "moved",
  data,
});

describe("A handler that does not finish", () => {
  test("[CH21] is reported to onError once, after 30 s, with channel and event, and is counted in the status until the handler finishes", async () => {
    const { client, world } = testClient();
    const { handler, heard, go } = slow();
    client.channel("board", "b1").on("moved", handler);
    await settle();
    world.sockets.last.receive(moved(1));
    world.sockets.last.receive(moved(2));
    await pass(29_999);
    expect(world.errors).toEqual([]);
    expect(client.status.get()).not.toHaveProperty("stuckHandlers");
    await pass(1);
    const told = {
      error: { code: "HANDLER_FAILED" },
      context: { source: "handler", channel: "board:b1", event: "moved" },
    };
    expect(world.errors).toMatchObject([told]);
    expect(client.status.get()).toMatchObject({ name: "ready", stuckHandlers: 1 });
    const status = client.status.get();
    world.sockets.last.receive({ type: "ping" });
    await pass(9_000);
    expect(client.status.get()).toBe(status);
    expect(world.errors).toHaveLength(1);
    await go();
    expect(heard).toEqual([1, 2]);
    expect(client.status.get()).not.toHaveProperty("stuckHandlers");
    expect(client.status.get()).toMatchObject({ name: "ready" });
  });

  test("[CH21] is reported separately from other handlers, even a reset handler, and other channels continue", async () => {
    const { journal, client, world, receive } = onJournal([{ position: at(1) }]);
    const other: unknown[] = [];
    client.channel("board", "b1").on("moved", (data) => other.push(data));
    journal.onReset(never);
    journal.onReset(never);
    journal.on("written", never);
    await settle();
    receive({ type: "reset", channel: "journal", data: { reason: "fork", position: at(4) } });
    receive(written(5), moved(1));
    await pass(31_000);
    expect(world.errors.map(({ context }) => context.event)).toEqual(["$reset", "$reset"]);
    expect(client.status.get()).toMatchObject({ stuckHandlers: 2 });
    expect(other).toEqual([1]);
  });

  test("[CH21] a handler that finishes in time is not reported, even after many calls, but an error of the handler is reported", async () => {
    const { client, world } = testClient();
    const heard: unknown[] = [];
    client.channel("board", "b1").on("moved", async (data) => {
      heard.push(data);
      await new Promise((resolve) => setTimeout(resolve, 20_000));
      if (data === 2) throw new Error("late");
    });
    await settle();
    for (const data of [1, 2, 3]) world.sockets.last.receive(moved(data));
    for (let index = 0; index < 6; index++) {
      await pass(10_000);
      world.sockets.last.receive({ type: "ping" });
    }
    await pass(1_000);
    expect(heard).toEqual([1, 2, 3]);
    expect(world.errors).toMatchObject([{ error: { cause: { message: "late" } } }]);
  });

  test("[CH21] while the client will not connect by itself, no timer runs; after connect() the 30 s begin again", async () => {
    const { client, world } = testClient();
    client.channel("board", "b1").on("moved", never);
    await settle();
    world.sockets.last.receive(moved(1));
    await pass(20_000);
    client.disconnect();
    await pass(60_000);
    expect(world.errors).toEqual([]);
    client.connect();
    await pass(29_999);
    expect(world.errors).toEqual([]);
    await pass(1);
    expect(world.errors).toHaveLength(1);
    expect(client.status.get()).toMatchObject({ name: "ready", stuckHandlers: 1 });
  });
});

describe("Events that wait for a handler", () => {
  test("[CH22] without history, the oldest events beyond 2 MiB are dropped and reported, and the remaining events are delivered in order", async () => {
    const { client, world } = testClient();
    const { handler, heard, go } = slow();
    client.channel("agent-updates").on("removed", handler);
    await settle();
    const texts = Array.from({ length: 60 }, (_, index) => `${index} ${"x".repeat(100_000)}`);
    for (const data of texts)
      world.sockets.last.receive({ type: "event", channel: "agent-updates", event: "removed", data });
    const counts = world.errors.map(({ error, context }) => {
      expect(context).toEqual({ source: "handler", channel: "agent-updates" });
      return Number(/\d+/.exec(error.message)?.[0]);
    });
    const dropped = counts.reduce((sum, count) => sum + count, 0);
    await go();
    expect(heard).toEqual([texts[0], ...texts.slice(1 + dropped)]);
    expect(heard.length).toBeGreaterThanOrEqual(18);
    expect(heard.length).toBeLessThanOrEqual(21);
  });

  test("[RS22] with history, all waiting events are dropped, and the client resumes from the handler's position when the handler has finished", async () => {
    const { journal, receive, asked, server, answer, client, world } = onJournal([{ position: at(4) }]);
    const { handler, heard, go } = slow();
    journal.on("written", handler);
    await settle();
    for (let offset = 5; offset <= 10_100; offset++) receive(written(offset));
    await settle();
    expect(asked()).toEqual([["journal"]]);
    server.holds = true;
    await go();
    expect(asked()).toEqual([["journal"], from(at(5))]);
    answer(missed(...Array.from({ length: 4_000 }, (_, index) => 6 + index)));
    receive(written(4_006));
    await settle();
    expect(heard).toEqual(Array.from({ length: 4_002 }, (_, index) => 5 + index));
    expect(world.errors).toEqual([]);
    expect(journal.status.get().name).toBe("subscribed");
    expect(client.status.get().name).toBe("ready");
  });

  test("[RS22] if the server no longer stores the dropped events, onReset is called once, before any newer event", async () => {
    const { journal, receive } = onJournal([{ position: at(4) }, { reset: "trimmed", position: at(20_000) }]);
    const { handler, heard, go } = slow();
    journal.on("written", handler);
    journal.onReset(({ reason }) => heard.push(reason));
    await settle();
    for (let offset = 5; offset <= 10_100; offset++) receive(written(offset));
    await go();
    receive(written(20_001));
    await settle();
    expect(heard).toEqual([5, "trimmed", 20_001]);
  });

  test("[RS22] after a drop the client resumes from the handler's position, and the waiting events are bounded again", async () => {
    const { journal, receive, asked, world } = onJournal([{ position: at(4) }, missed(6, 7), missed(6, 7, 8, 9)]);
    const { handler, heard, go } = slow();
    journal.on("written", handler);
    await settle();
    for (let offset = 5; offset <= 10_100; offset++) receive(written(offset));
    world.sockets.last.end();
    await pass(5_000);
    expect(asked()).toEqual([from(at(5))]);
    for (let offset = 8; offset <= 10_100; offset++) receive(written(offset));
    expect(heard).toEqual([5]);
    await go();
    expect(asked()).toEqual([from(at(5)), from(at(5))]);
    expect(heard).toEqual([5, 6, 7, 8, 9]);
  });

  test("[RS22] if a reset was among the dropped items, the resumed channel delivers a reset; a channel that is left meanwhile is not requested", async () => {
    const { journal, receive, asked } = onJournal([{ position: at(4) }, { reset: "epoch", position: at(2, "e2") }]);
    const { handler, heard, go } = slow();
    journal.on("written", handler);
    journal.onReset(({ reason }) => heard.push(reason));
    await settle();
    receive(written(5), { type: "reset", channel: "journal", data: { reason: "epoch", position: at(0, "e2") } });
    for (let offset = 1; offset <= 10_100; offset++) receive(written(offset));
    await go();
    expect(asked()).toEqual([["journal"], from(at(5))]);
    expect(heard).toEqual([5, "epoch"]);

    const second = onJournal([{ position: at(4) }]);
    const busy = slow();
    second.journal.on("written", busy.handler);
    await settle();
    for (let offset = 5; offset <= 10_100; offset++) second.receive(written(offset));
    second.journal.leave();
    await busy.go();
    expect(second.asked()).toEqual([["journal"]]);
  });
});
