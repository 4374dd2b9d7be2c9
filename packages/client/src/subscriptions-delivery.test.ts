import { describe, expect, test, vi } from "vitest";
import { answers } from "../test/support/behaviours.js";
import { pass, settle, testClient, withFakeTime } from "../test/support/test-client.js";
import { event, traffic } from "../test/support/traffic.js";

withFakeTime();

describe("Events", () => {
  test("[CH4] handlers receive the events of their name, validated and restored, in order", async () => {
    const { client, world } = testClient();
    const heard: unknown[] = [];
    const updates = client.channel("agent-updates");
    updates.on("statusChanged", (data) => heard.push(data));
    updates.on("removed", (data) => heard.push(data));
    await settle();
    const { last } = world.sockets;
    last.receive(event("agent-updates", "removed", "a1"));
    last.receive(
      event(
        "agent-updates",
        "statusChanged",
        { agentId: "a2", at: "2026-01-01T00:00:00.000Z" },
        { values: { at: ["Date"] } },
      ),
    );
    last.receive(event("agent-updates", "removed", "a3"));
    expect(heard).toEqual(["a1", { agentId: "a2", at: new Date("2026-01-01T00:00:00.000Z") }, "a3"]);
  });

  test("[CH4] a handler that returns a promise delays the next event of its channel and no other channel", async () => {
    const { client, world } = testClient();
    const heard: string[] = [];
    client.channel("board", "slow").on("moved", async (step) => {
      heard.push(`slow ${step} begins`);
      await new Promise((resolve) => setTimeout(resolve, 100));
      heard.push(`slow ${step} ends`);
    });
    client.channel("board", "fast").on("moved", (step) => heard.push(`fast ${step}`));
    await settle();
    for (const step of [1, 2]) {
      world.sockets.last.receive(event("board:slow", "moved", step));
      world.sockets.last.receive(event("board:fast", "moved", step));
    }
    await pass(200);
    expect(heard).toEqual(["slow 1 begins", "fast 1", "fast 2", "slow 1 ends", "slow 2 begins", "slow 2 ends"]);
  });

  test("[CH4] all handlers of an event start at once, even those of another handle; the slowest handler delays the next event", async () => {
    const { client, world } = testClient();
    const heard: string[] = [];
    const slow = (name: string, ms: number) => async (step: number) => {
      heard.push(`${name}${step}`);
      await new Promise((resolve) => setTimeout(resolve, ms));
    };
    client.channel("board", "b").on("moved", slow("x", 10));
    client.channel("board", "b").on("moved", slow("y", 50));
    await settle();
    world.sockets.last.receive(event("board:b", "moved", 1));
    world.sockets.last.receive(event("board:b", "moved", 2));
    expect(heard).toEqual(["x1", "y1"]);
    await pass(49);
    expect(heard).toHaveLength(2);
    await pass(1);
    expect(heard).toEqual(["x1", "y1", "x2", "y2"]);
    await pass(50);
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("bad handler");
      },
    ],
    ["rejects", () => Promise.reject(new Error("bad handler"))],
  ])(
    "[CH5] a handler that %s is reported to onError and affects neither other handlers nor later events",
    async (_, bad) => {
      const { client, world } = testClient();
      const heard: string[] = [];
      const updates = client.channel("agent-updates");
      updates.on("removed", bad);
      updates.on("removed", (id) => heard.push(id));
      await settle();
      world.sockets.last.receive(event("agent-updates", "removed", "a1"));
      world.sockets.last.receive(event("agent-updates", "removed", "a2"));
      await settle();
      expect(heard).toEqual(["a1", "a2"]);
      expect(world.errors).toHaveLength(2);
      expect(world.errors[0]).toMatchObject({
        error: { code: "HANDLER_FAILED", cause: { message: "bad handler" } },
        context: { source: "handler", channel: "agent-updates", event: "removed" },
      });
    },
  );

  test("[CH6] an event whose data does not match the protocol goes to onError and is not delivered", async () => {
    const { client, world } = testClient();
    const heard: unknown[] = [];
    client.channel("agent-updates").on("statusChanged", (data) => heard.push(data));
    await settle();
    world.sockets.last.receive(event("agent-updates", "statusChanged", { agentId: 7 }));
    world.sockets.last.receive(event("agent-updates", "statusChanged", { agentId: "a2" }));
    expect(heard).toEqual([{ agentId: "a2" }]);
    expect(world.errors).toMatchObject([
      {
        error: { code: "BAD_MESSAGE", field: "data.agentId" },
        context: { source: "event", channel: "agent-updates", event: "statusChanged" },
      },
    ]);
  });

  test("[CH16] events that have no listener, belong to a channel that was left, or are unknown to this protocol are ignored without an error", async () => {
    const { client, world } = testClient();
    const heard = vi.fn();
    const updates = client.channel("agent-updates");
    updates.on("removed", heard);
    await settle();
    world.sockets.last.receive(event("agent-updates", "statusChanged", { agentId: 7 }));
    world.sockets.last.receive(event("agent-updates", "constructor", {}));
    world.sockets.last.receive(event("board:b1", "moved", "x"));
    updates.leave();
    world.sockets.last.receive(event("agent-updates", "removed", "a1"));
    expect(heard).not.toHaveBeenCalled();
    expect(world.errors).toEqual([]);
  });

  test("[CH13] leave() removes all listeners of the handle and of no other handle; the handle can be used again", async () => {
    const { client, world } = testClient();
    const [first, second] = [client.channel("board", "b"), client.channel("board", "b")];
    const heard: string[] = [];
    first.on("moved", (step) => heard.push(`first ${step}`));
    second.on("moved", (step) => heard.push(`second ${step}`));
    await settle();
    first.leave();
    first.leave();
    world.sockets.last.receive(event("board:b", "moved", 1));
    first.on("moved", (step) => heard.push(`again ${step}`));
    expect(first.status.get().name).toBe("subscribed");
    world.sockets.last.receive(event("board:b", "moved", 2));
    expect(heard).toEqual(["second 1", "second 2", "again 2"]);
    expect(traffic(world)).toEqual(["+board:b"]);
  });

  test("a handler that is removed by another handler during an event is not called", async () => {
    const { client, world } = testClient();
    const removed = vi.fn();
    const board = client.channel("board", "b");
    board.on("moved", () => off());
    const off = board.on("moved", removed);
    await settle();
    world.sockets.last.receive(event("board:b", "moved", 1));
    expect(removed).not.toHaveBeenCalled();
  });
});

describe("Resets", () => {
  /** Creates a client that follows the journal, and records its events and resets. */
  function onJournal(behaviour = answers()) {
    const { client, world } = testClient(behaviour);
    const heard: string[] = [];
    const journal = client.channel("journal");
    journal.on("written", (line) => heard.push(`written ${line}`));
    journal.onReset(({ reason }) => heard.push(`reset ${reason}`));
    return { client, world, heard, journal };
  }

  test("[CH10] the first subscribe causes no reset", async () => {
    const { heard, world } = onJournal();
    await settle();
    expect(heard).toEqual([]);
    expect(traffic(world)).toEqual(["+journal"]);
  });

  test("[CH10] after a drop the client resumes, and a reset is delivered before any newer event", async () => {
    const { heard, world } = onJournal(answers({ subscribe: () => ({ reset: "server" }) }));
    await settle();
    heard.length = 0;
    world.sockets.last.end();
    await pass(5_000);
    world.sockets.last.receive(event("journal", "written", 7));
    expect(traffic(world)).toEqual(["+journal@"]);
    expect(heard).toEqual(["reset server", "written 7"]);
  });

  test("[CH10] an answer with neither missed events nor a reset counts as a reset", async () => {
    const { heard, world } = onJournal();
    await settle();
    world.sockets.last.end();
    await pass(5_000);
    expect(heard).toEqual(["reset server"]);
  });

  test("[CH10] if the answer contains missed events, they are delivered and there is no reset", async () => {
    const missed = [5, 6].map((line) => event("journal", "written", line));
    let again = false;
    const { heard, world } = onJournal(answers({ subscribe: () => (again ? { missed } : {}) }));
    await settle();
    again = true;
    world.sockets.last.end();
    await pass(5_000);
    expect(heard).toEqual(["written 5", "written 6"]);
  });

  test("[CH10] a channel without history has no reset after a drop, unless the server sends one", async () => {
    const { client, world } = testClient();
    const heard = vi.fn();
    client.channel("agent-updates").onReset(heard);
    await settle();
    world.sockets.last.end();
    await pass(5_000);
    expect(heard).not.toHaveBeenCalled();
    expect(traffic(world)).toEqual(["+agent-updates"]);
  });

  test("[CH11] a reset while connected reaches the handlers in order with the events", async () => {
    const { heard, world, journal } = onJournal();
    journal.on("written", () => new Promise((resolve) => setTimeout(resolve, 10)));
    await settle();
    world.sockets.last.receive(event("journal", "written", 1));
    world.sockets.last.receive({ type: "reset", channel: "journal", data: { reason: "fork" } });
    world.sockets.last.receive(event("journal", "written", 2));
    expect(heard).toEqual(["written 1"]);
    await pass(10);
    expect(heard).toEqual(["written 1", "reset fork", "written 2"]);
    await pass(10);
  });

  test("[CH10] replacing listeners while the connection is down does not lose the reset", async () => {
    const { heard, world, journal } = onJournal();
    await settle();
    world.sockets.last.end();
    journal.leave();
    journal.onReset(({ reason }) => heard.push(`new: reset ${reason}`));
    await pass(5_000);
    expect(heard).toEqual(["new: reset server"]);
  });
});
