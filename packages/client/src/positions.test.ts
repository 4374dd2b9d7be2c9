import type { ServerMessage } from "@holdfast/protocol";
import { describe, expect, test, vi } from "vitest";
import { onChange } from "../test/support/changes.js";
import { grant } from "../test/support/behaviours.js";
import { at, from, missed, onJournal, written } from "../test/support/journal.js";
import { failure, pass, settle, testClient, withFakeTime } from "../test/support/test-client.js";

withFakeTime();

const unavailable = { ok: false, error: { code: "UNAVAILABLE", message: "The store is down." } };
const forbidden = { ok: false, error: { code: "FORBIDDEN", message: "Not yours." } };
const takenOff: ServerMessage = { type: "unsubscribed", channel: "journal", data: unavailable.error };

describe("Resuming a channel", () => {
  test("[RS1] the first subscribe has no position; after a drop the last received event's position is sent right behind auth", async () => {
    const { asked, heard, listen, receive, world } = onJournal([{ position: at(4) }, missed(7, 8)]);
    listen();
    await settle();
    expect(asked()).toEqual([["journal"]]);
    receive(written(5), written(6));
    world.sockets.last.end();
    await pass(5_000);
    expect(asked()).toEqual([from(at(6))]);
    expect(world.sockets.last.sent.map(({ type }) => type)).toEqual(["auth", "subscribe"]);
    receive(written(9));
    expect(heard).toEqual([5, 6, 7, 8, 9]);
  });

  test("[RS1] if nothing was published yet, the position is the beginning", async () => {
    const { asked, heard, listen, receive, world } = onJournal([{ position: at(0) }]);
    listen();
    await settle();
    world.sockets.last.end();
    await pass(5_000);
    expect(asked()).toEqual([from(at(0))]);
    receive(written(1));
    expect(heard).toEqual([1]);
  });

  test("[RS21] events before the answer to a subscribe are ignored, because they belong to an earlier membership", async () => {
    const { answer, heard, listen, receive, server } = onJournal([]);
    server.holds = true;
    listen();
    await settle();
    receive(written(4), written(5));
    await settle();
    expect(heard).toEqual([]);
    answer({ position: at(6) });
    await settle();
    receive(written(7));
    expect(heard).toEqual([7]);
  });

  test("[RS20] an event received before a reset is not delivered again after the reset, unless 256 other events came in between", async () => {
    const { heard, listen, receive } = onJournal([{ position: at(4) }]);
    listen();
    await settle();
    receive(written(5), written(6));
    receive({ type: "reset", channel: "journal", data: { reason: "fork", position: at(4) } });
    receive(written(5), written(6), written(7));
    expect(heard.filter((what) => typeof what === "number")).toEqual([5, 6, 7]);
    for (let number = 8; number < 8 + 256; number++) receive(written(number));
    receive({ type: "reset", channel: "journal", data: { reason: "fork", position: at(4) } });
    receive(written(5));
    expect(heard.at(-1)).toBe(5);
  });

  test("[RS2] a repeated event is delivered once", async () => {
    const { asked, heard, listen, receive } = onJournal([{ position: at(4) }]);
    listen();
    await settle();
    receive(written(4), written(5), written(5), written(6));
    await settle();
    expect(heard).toEqual([5, 6]);
    expect(asked()).toHaveLength(1);
  });

  test.each([
    ["an event is missing", written(7)],
    ["the event follows another event", written(6, { prev: "other" })],
    ["another event has the same offset", written(5, { id: "other" })],
    ["the event is older than the position", written(4)],
    ["the event has no position", written(6, { offset: undefined, id: undefined, prev: undefined } as object)],
    ["the event has no id", written(6, { id: undefined } as object)],
  ])(
    "[RS3] if %s, the event is not delivered and the client subscribes with the position before the event",
    async (_, event) => {
      const { asked, heard, listen, receive } = onJournal([{ position: at(4) }]);
      listen();
      await settle();
      receive(written(5), event);
      await settle();
      expect(asked()).toEqual([["journal"], from(at(5))]);
      expect(heard).toEqual([5]);
      receive(written(6));
      expect(heard).toEqual([5, 6]);
    },
  );

  test("[RS3] after a gap the client subscribes once, and ignores events before the answer, which contains these events", async () => {
    const { answer, asked, heard, listen, receive, server } = onJournal([{ position: at(4) }]);
    listen();
    await settle();
    server.holds = true;
    receive(written(6), written(7), written(5));
    await settle();
    receive(written(8), written(5), { type: "reset", channel: "journal", data: { reason: "fork", position: at(1) } });
    await settle();
    expect(asked()).toEqual([["journal"], from(at(4))]);
    expect(heard).toEqual([]);
    answer(missed(5, 6, 7, 8));
    receive(written(9));
    await settle();
    expect(heard).toEqual([5, 6, 7, 8, 9]);
    expect(asked()).toHaveLength(2);
  });

  test("[RS3] if a channel is left while the answer is pending, the client unsubscribes when the answer has arrived", async () => {
    const { answer, heard, journal, listen, receive, server, world } = onJournal([{ position: at(4) }]);
    listen();
    await settle();
    server.holds = true;
    receive(written(6));
    await settle();
    journal.leave();
    await settle();
    expect(world.sockets.last.of("unsubscribe")).toEqual([]);
    answer(missed(5, 6));
    await settle();
    expect(world.sockets.last.of("unsubscribe")).toHaveLength(1);
    expect(heard).toEqual([]);
  });

  test("[RS3] a channel that is left in the turn of the gap is not subscribed again", async () => {
    const { asked, journal, listen, receive, world } = onJournal([{ position: at(4) }]);
    listen();
    await settle();
    receive(written(6));
    journal.leave();
    await settle();
    expect(asked()).toHaveLength(1);
    expect(world.sockets.last.of("unsubscribe")).toHaveLength(1);
  });

  test("[RS4] while the client subscribes again after a gap, the status stays `subscribed`, unless the server refuses the channel", async () => {
    const { answer, client, journal, listen, receive, server } = onJournal([{ position: at(4) }]);
    const statuses: string[] = [];
    onChange(journal.status, ({ name }) => statuses.push(name));
    listen();
    await settle();
    server.holds = true;
    receive(written(6));
    await settle();
    const late = client.channel("journal");
    await late.join();
    answer(missed(5, 6));
    expect(statuses).toEqual(["pending", "subscribed"]);
    receive(written(8));
    await settle();
    answer(forbidden);
    expect(statuses).toEqual(["pending", "subscribed", "refused"]);
    late.leave();
  });

  test.each([
    ["does not follow the position", { missed: [written(6)], position: at(6) }],
    ["has a gap", { missed: [written(5), written(7)], position: at(7) }],
    ["ends before the position", { missed: [written(5)], position: at(6) }],
    ["ends with another event", { missed: [], position: at(6) }],
  ])("[RS5] if the list of missed events %s, the client requests the rest", async (_, wrong) => {
    const { asked, heard, listen, receive, world } = onJournal([{ position: at(4) }, wrong]);
    listen();
    await settle();
    world.sockets.last.end();
    await pass(5_000);
    const begun = heard.length;
    expect(asked()).toEqual([from(at(4)), from(at(4 + begun))]);
    receive(written(5 + begun));
    expect(heard).toEqual([5, 6].slice(0, begun + 1));
  });

  test("[RS6] after three consecutive resumes that led to another gap, the next subscribe has no position, and a reset is delivered before any newer event", async () => {
    const { asked, heard, listen, receive } = onJournal([
      { position: at(4) },
      { missed: [] },
      { missed: [] },
      { missed: [] },
      { position: at(20) },
    ]);
    listen();
    await settle();
    for (let gap = 1; gap <= 3; gap++) {
      receive(written(10));
      await settle();
      expect(asked()).toHaveLength(1 + gap);
      expect(asked().at(-1)).toEqual(from(at(4)));
    }
    expect(heard).toEqual([]);
    receive(written(10));
    await settle();
    receive(written(21));
    expect(asked().slice(4)).toEqual([["journal"]]);
    expect(heard).toEqual(["server", 21]);
  });

  test("[RS6] the loop also ends if every answer contains a gap", async () => {
    const wrong = { missed: [written(9)], position: at(9) };
    const { asked, heard, listen, world } = onJournal([{ position: at(4) }, ...Array<object>(4).fill(wrong)]);
    listen();
    await settle();
    world.sockets.last.end();
    await pass(5_000);
    expect(asked()).toEqual([from(at(4)), from(at(4)), from(at(4)), from(at(4)), ["journal"]]);
    expect(heard).toEqual(["server"]);
  });

  test("[RS6] an event that follows without a gap restarts the count", async () => {
    const { asked, heard, listen, receive } = onJournal([{ position: at(0) }]);
    listen();
    await settle();
    for (let offset = 1; offset <= 8; offset++) {
      receive(written(offset + 1));
      await settle();
      receive(written(offset));
    }
    expect(heard).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(
      asked()
        .slice(1)
        .every((channels) => typeof (channels as unknown[])[0] === "object"),
    ).toBe(true);
  });

  test("[RS6] if the connection drops before the answer, the next subscribe also has no position, and there is one reset", async () => {
    const { asked, heard, listen, receive, server, world } = onJournal([{ position: at(4) }]);
    listen();
    await settle();
    for (let gap = 1; gap <= 4; gap++) {
      server.holds = gap === 4;
      receive(written(10));
      await settle();
    }
    server.holds = false;
    world.sockets.last.end();
    await pass(5_000);
    expect(asked()).toEqual([["journal"]]);
    // An empty list of missed events does not answer a subscribe without a position.
    expect(heard).toEqual(["server"]);
  });
});

describe("Resets and positions", () => {
  test("[RS7] a reset is delivered after the events queued earlier and before any newer event; newer events continue from the position of the reset", async () => {
    const { asked, heard, journal, receive } = onJournal([{ position: at(4) }]);
    const finish: (() => void)[] = [];
    journal.on("written", async (line) => {
      heard.push(line);
      await new Promise<void>((resolve) => finish.push(resolve));
    });
    journal.onReset(({ reason }) => heard.push(reason));
    await settle();
    receive(written(5), written(6));
    receive({ type: "reset", channel: "journal", data: { reason: "fork", position: at(2, "e2") } });
    receive(written(3), written(3));
    expect(heard).toEqual([5]);
    finish[0]!();
    await settle();
    expect(heard).toEqual([5, 6]);
    finish[1]!();
    await settle();
    expect(heard).toEqual([5, 6, "fork", 3]);
    receive(written(7));
    await settle();
    expect(asked()[1]).toEqual(from(at(3, "e2")));
    finish[2]!();
  });

  test("[RS7] a reset that answers a subscribe is delivered in the same order", async () => {
    const { heard, listen, receive, world } = onJournal([
      { position: at(4) },
      { reset: "trimmed", position: at(90), missed: [written(5)] },
    ]);
    listen();
    await settle();
    world.sockets.last.end();
    await pass(5_000);
    receive(written(91));
    expect(heard).toEqual(["trimmed", 91]);
  });

  test("[RS7] after a reset without a position, events are delivered as they arrive, and the next join has an unknown position", async () => {
    const { asked, heard, listen, receive, world } = onJournal([{ position: at(4) }, { reset: "server" }]);
    listen();
    await settle();
    receive({ type: "reset", channel: "journal", data: { reason: "fork" } }, written(9), written(3));
    expect(heard).toEqual(["fork", 9, 3]);
    world.sockets.last.end();
    await pass(5_000);
    expect(asked()).toEqual([from({ epoch: "", offset: 0, id: "" })]);
    expect(heard).toEqual(["fork", 9, 3, "server"]);
  });

  test("[RS7] if the answer to a position has neither missed events nor a reset, the client delivers a reset", async () => {
    const { heard, listen, receive, world } = onJournal([{ position: at(4) }, { position: at(8) }]);
    listen();
    await settle();
    world.sockets.last.end();
    await pass(5_000);
    receive(written(9));
    expect(heard).toEqual(["server", 9]);
  });

  test("[RS8] events without a listener, unreadable events and unknown events advance the position", async () => {
    const { asked, heard, journal, receive, world } = onJournal([{ position: at(4) }]);
    const off = journal.on("written", (line) => heard.push(line));
    await settle();
    receive(written(5, {}, "not a number"));
    receive({ ...written(6), event: "erased" });
    journal.onReset(() => undefined);
    off();
    receive(written(7));
    journal.on("written", (line) => heard.push(line));
    receive(written(8));
    expect(heard).toEqual([8]);
    expect(world.errors).toMatchObject([{ error: { code: "BAD_MESSAGE" } }]);
    world.sockets.last.end();
    await pass(5_000);
    expect(asked()).toEqual([from(at(8))]);
  });

  test("[RS9] a handler that takes longer than a reconnect neither loses nor repeats an event", async () => {
    const { asked, heard, journal, receive, world } = onJournal([{ position: at(0) }, missed(4)]);
    journal.on("written", async (line) => {
      heard.push(line);
      await new Promise((resolve) => setTimeout(resolve, 20_000));
    });
    await settle();
    receive(written(1), written(2), written(3));
    world.sockets.last.end();
    await pass(5_000);
    // The queue contains the received events, so the client does not request them again.
    expect(asked()).toEqual([from(at(3))]);
    receive(written(5));
    await pass(100_000);
    expect(heard).toEqual([1, 2, 3, 4, 5]);
  });

  test("[RS10] joining a channel again after leaving it starts from the current position", async () => {
    const { asked, heard, journal, listen, receive } = onJournal([{ position: at(4) }, { position: at(9) }]);
    listen();
    await settle();
    receive(written(5));
    journal.leave();
    await settle();
    listen();
    await settle();
    expect(asked()).toEqual([["journal"], ["journal"]]);
    receive(written(10));
    expect(heard).toEqual([5, 10]);
  });

  test("[RS11] if a server sends no positions, events are delivered as they arrive, and a drop is a reset", async () => {
    const { asked, heard, listen, receive, world } = onJournal([{}, {}]);
    listen();
    await settle();
    receive(written(7), written(3), { ...written(5), metadata: undefined });
    world.sockets.last.end();
    await pass(5_000);
    expect(asked()).toEqual([from({ epoch: "", offset: 0, id: "" })]);
    expect(heard).toEqual([7, 3, 5, "server"]);
  });

  test("[RS11] a channel without history has no position, whatever the server sends", async () => {
    const { client, world } = testClient();
    const board = client.channel("board", "b1");
    const heard: number[] = [];
    board.on("moved", (step) => heard.push(step));
    await settle();
    const moved = (offset: number): ServerMessage => ({ ...written(offset), channel: "board:b1", event: "moved" });
    world.sockets.last.receive({ type: "reset", channel: "board:b1", data: { reason: "fork", position: at(4) } });
    world.sockets.last.receive(moved(7));
    world.sockets.last.receive(moved(3));
    world.sockets.last.end();
    await pass(5_000);
    expect(world.sockets.last.of("subscribe")[0]!.data.channels).toEqual(["board:b1"]);
    expect(heard).toEqual([7, 3]);
  });

  test("[RS12] a subscribe may be answered in parts, and each part settles its channels", async () => {
    const { asked, client, heard, listen, receive, server, world, journal } = onJournal([{ position: at(4) }]);
    const board = client.channel("board", "b1");
    listen();
    board.on("moved", () => undefined);
    await settle();
    server.holds = true;
    world.sockets.last.end();
    await pass(5_000);
    expect(asked()).toEqual([[...from(at(4)), "board:b1"]]);
    const message = world.sockets.last.of("subscribe")[0]!;
    const part = (channel: string): typeof message => ({ ...message, data: { channels: [channel] } });
    grant(world.sockets.last, part("board:b1"));
    expect([board.status.get().name, journal.status.get().name]).toEqual(["subscribed", "pending"]);
    board.leave();
    await settle();
    expect(world.sockets.last.of("unsubscribe")).toHaveLength(1);
    grant(world.sockets.last, part("journal"), () => missed(5, 6));
    receive(written(7));
    expect(journal.status.get().name).toBe("subscribed");
    expect(heard).toEqual([5, 6, 7]);
  });
});

describe("A temporarily unavailable channel", () => {
  test("[RS13] stays pending after UNAVAILABLE and is requested again after 1 to 3 s, as often as necessary", async () => {
    const { asked, journal, world } = onJournal([unavailable, unavailable, { position: at(4) }]);
    world.random = 0;
    const joining = journal.join();
    await settle();
    expect(journal.status.get()).toEqual({ name: "pending" });
    await pass(999);
    expect(asked()).toHaveLength(1);
    world.random = 0.75;
    await pass(1);
    expect(asked()).toHaveLength(2);
    await pass(2_499);
    expect(asked()).toHaveLength(2);
    await pass(1);
    await joining;
    expect(asked()).toEqual([["journal"], ["journal"], ["journal"]]);
    expect(world.errors).toEqual([]);
  });

  test("[RS13] does not keep join() from timing out", async () => {
    const { journal } = onJournal(Array<object>(9).fill(unavailable));
    const outcome = failure(journal.join({ timeoutMs: 5_000 }));
    await pass(5_000);
    expect(await outcome).toMatchObject({ code: "TIMEOUT" });
  });

  test("[RS13] shares a subscribe with the other waiting channels and keeps the position", async () => {
    const { asked, client, heard, listen, receive, journal } = onJournal([{ position: at(4) }, unavailable, missed(5)]);
    listen();
    await settle();
    receive(takenOff);
    expect(journal.status.get().name).toBe("pending");
    receive(written(6));
    client.channel("board", "b1").on("moved", () => undefined);
    await settle();
    expect(asked()).toEqual([["journal"], ["board:b1"]]);
    await pass(3_000);
    expect(asked()[2]).toEqual([...from(at(4)), "board:b1"]);
    expect(heard).toEqual([5]);
  });

  test("[RS13] is subscribed at once after a reconnect, and no timer outlives the connection", async () => {
    const { asked, client, journal, listen, world } = onJournal([unavailable, { position: at(4) }]);
    listen();
    await settle();
    // The timers of the heartbeat and of the next subscribe.
    expect(vi.getTimerCount()).toBe(2);
    world.random = 0;
    world.sockets.last.end(4408);
    await pass(0);
    expect(asked()).toEqual([["journal"]]);
    expect(journal.status.get().name).toBe("subscribed");
    await pass(5_000);
    expect(asked()).toHaveLength(1);
    world.sockets.last.receive(takenOff);
    client.disconnect();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("[RS13] is unsubscribed if the application leaves the channel meanwhile, because the server may still have the session as a member", async () => {
    const { asked, journal, listen, receive, world } = onJournal([{ position: at(4) }, unavailable]);
    listen();
    await settle();
    receive(written(6));
    await settle();
    expect(journal.status.get().name).toBe("pending");
    journal.leave();
    await pass(3_000);
    expect(asked()).toHaveLength(2);
    expect(world.sockets.last.of("unsubscribe")).toHaveLength(1);
  });
});
