import { defineProtocol, type ServerMessage } from "@holdfast/protocol";
import * as z from "zod/mini";
import { describe, expect, test, vi } from "vitest";
import { onChange } from "../test/support/changes.js";
import { answers, grant, silent } from "../test/support/behaviours.js";
import type { World } from "../test/support/test-client.js";
import { failure, pass, settle, testClient, testClientOf, withFakeTime } from "../test/support/test-client.js";

withFakeTime();

const ignore = (): void => undefined;

const event = (channel: string, name: string, data?: unknown, meta?: unknown): ServerMessage => ({
  type: "event",
  channel,
  event: name,
  data,
  ...(meta !== undefined && { meta }),
});

/** What was sent about channels, in order: `+` joined, `-` left. */
const traffic = (world: World, attempt = world.sockets.last): string[] =>
  attempt.sent.flatMap((message) => {
    if (message.type === "subscribe") {
      return [
        message.data.channels.map((asked) => `+${typeof asked === "string" ? asked : `${asked.channel}@`}`).join(" "),
      ];
    }
    return message.type === "unsubscribe" ? [message.data.channels.map((name) => `-${name}`).join(" ")] : [];
  });

describe("Wanted and wire", () => {
  test("[CH1] Making a handle sends nothing; its first listener joins the channel", async () => {
    const { client, world } = testClient();
    await settle();
    const board = client.channel("board", "b1");
    await settle();
    expect(traffic(world)).toEqual([]);
    expect(board.status.get()).toEqual({ name: "idle" });
    board.on("moved", ignore);
    expect(board.status.get()).toEqual({ name: "pending" });
    await settle();
    expect(traffic(world)).toEqual(["+board:b1"]);
    expect(board.status.get()).toEqual({ name: "subscribed" });
  });

  test("[CH24] A handle has the name of the protocol, the key and the id of the wire", () => {
    const { client } = testClient();
    const board = client.channel("board", "b1:2");
    expect([board.name, board.key, board.id]).toEqual(["board", "b1:2", "board:b1:2"]);
    const updates = client.channel("agent-updates");
    expect([updates.name, updates.key, updates.id]).toEqual(["agent-updates", undefined, "agent-updates"]);
  });

  test("[CH24] The key is what its schema gives, so the handles of one channel have the same", () => {
    const rooms = defineProtocol({
      name: "rooms",
      version: "1.0.0",
      channels: {
        room: { key: z.string().check(z.trim(), z.toLowerCase()), events: { said: z.string() } },
      },
    });
    const { client } = testClientOf(rooms, answers());
    const [given, same] = [client.channel("room", " R1 "), client.channel("room", "r1")];
    expect([given.key, given.id]).toEqual(["r1", "room:r1"]);
    expect([same.key, same.id]).toEqual(["r1", "room:r1"]);
  });

  test("[CH1] Channels joined in one turn travel in one subscribe", async () => {
    const { client, world } = testClient();
    await settle();
    for (const key of ["1", "2", "3"]) client.channel("board", key).on("moved", ignore);
    await settle();
    expect(traffic(world)).toEqual(["+board:1 +board:2 +board:3"]);
  });

  test("[CH14] More than a hundred travel in several, each well below what a server accepts", async () => {
    const { client, world } = testClient();
    await settle();
    for (let key = 0; key < 250; key++) client.channel("board", String(key)).on("moved", ignore);
    await settle();
    expect(world.sockets.last.of("subscribe").map(({ data }) => data.channels.length)).toEqual([100, 100, 50]);
  });

  test("[CH2] Leaving and joining again in one turn sends nothing", async () => {
    const { client, world } = testClient();
    const board = client.channel("board", "b1");
    const off = board.on("moved", ignore);
    await settle();
    off();
    board.on("moved", ignore);
    board.leave();
    client.channel("board", "b1").on("moved", ignore);
    await settle();
    expect(traffic(world)).toEqual(["+board:b1"]);
  });

  test("[CH2] Joining and leaving in one turn sends nothing", async () => {
    const { client, world } = testClient();
    await settle();
    client.channel("board", "b1").on("moved", ignore)();
    await settle();
    expect(traffic(world)).toEqual([]);
  });

  test("[CH3] A channel is left when the last of its handles lets go", async () => {
    const { client, world } = testClient();
    const [first, second] = [client.channel("board", "b1"), client.channel("board", "b1")];
    const offs = [first.on("moved", ignore), first.onReset(ignore), second.on("moved", ignore)];
    await settle();
    offs[0]!();
    offs[2]!();
    await settle();
    expect(traffic(world)).toEqual(["+board:b1"]);
    offs[1]!();
    await settle();
    expect(traffic(world)).toEqual(["+board:b1", "-board:b1"]);
    expect(first.status.get().name).toBe("idle");
    client.channel("agent-updates").on("removed", ignore);
    await settle();
    expect(traffic(world)).toEqual(["+board:b1", "-board:b1", "+agent-updates"]);
  });

  test("[CH17] Calling one unsubscribe twice releases one want", async () => {
    const { client, world } = testClient();
    const board = client.channel("board", "b1");
    const off = board.on("moved", ignore);
    board.on("moved", ignore);
    await settle();
    off();
    off();
    await settle();
    expect(traffic(world)).toEqual(["+board:b1"]);
  });

  test("[CH12] An unsubscribe never overtakes the subscribe before it: the verdict comes first", async () => {
    const { client, world } = testClient(silent(), { token: undefined });
    const off = client.channel("board", "b1").on("moved", ignore);
    await settle();
    off();
    await settle();
    expect(traffic(world)).toEqual(["+board:b1"]);
    grant(world.sockets.last, world.sockets.last.of("subscribe")[0]!);
    await settle();
    expect(traffic(world)).toEqual(["+board:b1", "-board:b1"]);
  });

  test("[CH12] Only the verdict on the question that was asked last counts", async () => {
    const { client, world } = testClient(silent(), { token: undefined });
    const board = client.channel("board", "b1");
    board.on("moved", ignore);
    await settle();
    const asked = world.sockets.last.of("subscribe")[0]!;
    grant(world.sockets.last, { ...asked, correlation_id: "another" });
    expect(board.status.get().name).toBe("pending");
    grant(world.sockets.last, asked);
    grant(world.sockets.last, asked, () => ({ ok: false, error: { code: "FORBIDDEN", message: "No." } }));
    expect(board.status.get().name).toBe("subscribed");
  });

  test("[CH12] A channel wanted again while its verdict is due is joined once", async () => {
    const { client, world } = testClient(silent(), { token: undefined });
    const board = client.channel("board", "b1");
    board.on("moved", ignore)();
    board.on("moved", ignore);
    await settle();
    board.leave();
    await settle();
    board.on("moved", ignore);
    grant(world.sockets.last, world.sockets.last.of("subscribe")[0]!);
    await settle();
    expect(traffic(world)).toEqual(["+board:b1"]);
    expect(board.status.get().name).toBe("subscribed");
  });

  test("[CH9] After a reconnect all wanted channels are joined again, and those left meanwhile are not", async () => {
    const { client, world } = testClient();
    const [kept, left] = [client.channel("board", "kept"), client.channel("board", "left")];
    const statuses: string[] = [];
    onChange(kept.status, ({ name }) => statuses.push(name));
    kept.on("moved", ignore);
    left.on("moved", ignore);
    await settle();
    world.sockets.last.end();
    left.leave();
    client.channel("board", "new").on("moved", ignore);
    await pass(5_000);
    expect(traffic(world)).toEqual(["+board:kept +board:new"]);
    expect(statuses).toEqual(["pending", "subscribed", "pending", "subscribed"]);
  });
});

describe("Events", () => {
  test("[CH4] Handlers get the events of their name, validated and restored, in order", async () => {
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

  test("[CH4] A handler that returns a promise is awaited before the next event of its channel, and holds up no other channel", async () => {
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

  test("[CH4] All handlers of an event begin at once, also those of another handle; the slowest decides when the next begins", async () => {
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
  ])("[CH5] A handler that %s goes to onError, and harms neither other handlers nor later events", async (_, bad) => {
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
  });

  test("[CH6] An event whose data does not match the protocol goes to onError and is not delivered", async () => {
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

  test("[CH16] Events that no one hears, of channels left, or unknown to this protocol are ignored without an error", async () => {
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

  test("[CH13] leave() takes off all listeners of its handle, and no other's; the handle can be used again", async () => {
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

  test("A handler that takes off another one during an event keeps it from being called", async () => {
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

describe("Refusals", () => {
  const refusal = { code: "FORBIDDEN", message: "Not yours." };
  const refuseBoards = (channel: string): object => (channel.startsWith("board") ? { ok: false, error: refusal } : {});

  test("[CH7] A refused channel says so, and the others are joined all the same", async () => {
    const { client } = testClient(answers({ subscribe: refuseBoards }));
    const [board, updates] = [client.channel("board", "b1"), client.channel("agent-updates")];
    board.on("moved", ignore);
    updates.on("removed", ignore);
    await settle();
    expect(board.status.get()).toMatchObject({ name: "refused", error: { code: "FORBIDDEN", message: "Not yours." } });
    expect(updates.status.get().name).toBe("subscribed");
  });

  test("[CH7] join() rejects with the refusal, also when it came earlier", async () => {
    const { client } = testClient(answers({ subscribe: refuseBoards }));
    const board = client.channel("board", "b1");
    await expect(board.join()).rejects.toMatchObject({ code: "FORBIDDEN" });
    await expect(board.join()).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect(vi.getTimerCount()).toBe(1);
  });

  test("[CH13] Leaving and joining again asks again", async () => {
    let allowed = false;
    const { client, world } = testClient(answers({ subscribe: (channel) => (allowed ? {} : refuseBoards(channel)) }));
    const board = client.channel("board", "b1");
    board.on("moved", ignore);
    await settle();
    allowed = true;
    board.leave();
    board.on("moved", ignore);
    await settle();
    expect(board.status.get().name).toBe("subscribed");
    expect(traffic(world)).toEqual(["+board:b1", "+board:b1"]);
  });

  test("[CH13] Also where another handle stays: it is told what comes of it, and goes on; a handle that only joins asks nothing", async () => {
    let allowed = false;
    const { client, world } = testClient(answers({ subscribe: (channel) => (allowed ? {} : refuseBoards(channel)) }));
    const [board, other, third] = [1, 2, 3].map(() => client.channel("board", "b1"));
    board!.on("moved", ignore);
    const statuses: string[] = [];
    onChange(other!.status, ({ name }) => statuses.push(name));
    other!.on("moved", ignore);
    await settle();
    allowed = true;
    third!.on("moved", ignore);
    await settle();
    expect(third!.status.get().name).toBe("refused");
    expect(traffic(world)).toEqual(["+board:b1"]);
    board!.leave();
    await settle();
    board!.on("moved", ignore);
    await settle();
    expect([board, other, third].map((one) => one!.status.get().name)).toEqual(Array(3).fill("subscribed"));
    expect(statuses).toEqual(["pending", "refused", "pending", "subscribed"]);
    expect(traffic(world)).toEqual(["+board:b1", "+board:b1"]);
  });

  test("[CH13] Also by whoever is told of the refusal first: the others are not told of it behind that, and wait through an outage", async () => {
    let asked = 0;
    const { client, world } = testClient(
      answers({
        subscribe: (channel) => {
          if (++asked === 1) return refuseBoards(channel);
          if (asked === 2) world.sockets.last.end(1006);
          return {};
        },
      }),
    );
    const [board, other] = [1, 2].map(() => client.channel("board", "b1"));
    const statuses: string[] = [];
    onChange(board!.status, ({ name }) => {
      if (name !== "refused" || asked > 1) return;
      board!.leave();
      board!.on("moved", ignore);
    });
    onChange(other!.status, ({ name }) => statuses.push(name));
    board!.on("moved", ignore);
    other!.on("moved", ignore);
    await settle();
    expect([board, other].map((one) => one!.status.get().name)).toEqual(["pending", "pending"]);
    const joining = other!.join();
    await pass(5_000);
    await joining;
    expect(statuses).toEqual(["pending", "subscribed"]);
  });

  const taken: ServerMessage = { type: "unsubscribed", channel: "board:b1", data: refusal };

  test("[CH19] A channel that the server takes away says why, keeps its handlers, and is asked for again after a reconnect", async () => {
    const { client, world } = testClient();
    const heard: number[] = [];
    const board = client.channel("board", "b1");
    board.on("moved", (step) => heard.push(step));
    await settle();
    world.sockets.last.receive(taken);
    expect(board.status.get()).toMatchObject({ name: "refused", error: { code: "FORBIDDEN", message: "Not yours." } });
    await expect(board.join()).rejects.toMatchObject({ code: "FORBIDDEN" });
    board.leave();
    await settle();
    // The server knows it, and need not be told.
    expect(traffic(world)).toEqual(["+board:b1"]);
    board.on("moved", (step) => heard.push(step));
    await settle();
    world.sockets.last.receive(taken);
    world.sockets.last.end();
    await pass(5_000);
    expect(board.status.get().name).toBe("subscribed");
    world.sockets.last.receive(event("board:b1", "moved", 4));
    expect(heard).toEqual([4]);
  });

  test("[CH19] One that was left or is being joined again is not concerned", async () => {
    const { client, world } = testClient(silent());
    const board = client.channel("board", "b1");
    board.on("moved", ignore);
    await settle();
    world.sockets.last.receive(taken);
    world.sockets.last.receive({ ...taken, channel: "board:b2" });
    expect(board.status.get().name).toBe("pending");
    grant(world.sockets.last, world.sockets.last.of("subscribe")[0]!);
    expect(board.status.get().name).toBe("subscribed");
    expect(world.errors).toEqual([]);
  });

  test("[CH7] A refused channel is asked for again after a reconnect, and leaving it sends nothing", async () => {
    const { client, world } = testClient(answers({ subscribe: refuseBoards }));
    const board = client.channel("board", "b1");
    board.on("moved", ignore);
    await settle();
    world.sockets.last.end();
    await pass(5_000);
    expect(traffic(world)).toEqual(["+board:b1"]);
    board.leave();
    await settle();
    expect(traffic(world)).toEqual(["+board:b1"]);
  });

  test("[CH7] An error message that names a subscribe refuses its channels", async () => {
    const { client, world } = testClient(silent(), { token: undefined });
    const joining = client.channel("board", "b1").join();
    const outcome = failure(joining);
    await settle();
    const { correlation_id } = world.sockets.last.of("subscribe")[0]!;
    world.sockets.last.receive({ type: "error", correlation_id, data: { code: "RATE_LIMITED", message: "Too fast." } });
    expect(await outcome).toMatchObject({ code: "RATE_LIMITED" });
    expect(world.errors).toEqual([]);
  });

  test("[CH15] Unknown channels, wrong keys and unknown events are refused where they are named", () => {
    const { client } = testClient();
    expect(() => client.channel("constructor" as "agent-updates")).toThrow(
      expect.objectContaining({ code: "UNKNOWN_CHANNEL" }),
    );
    expect(() => client.channel("board", "")).toThrow(expect.objectContaining({ code: "UNKNOWN_CHANNEL" }));
    expect(() => client.channel("agent-updates", ...(["k"] as unknown as []))).toThrow(
      expect.objectContaining({ code: "UNKNOWN_CHANNEL" }),
    );
    expect(() => client.channel("agent-updates").on("moved" as never, ignore)).toThrow(
      expect.objectContaining({ code: "INVALID_VALUE", field: "event" }),
    );
  });
});

describe("join()", () => {
  test("[CH8] It joins the channel, resolves when it is live, and keeps it wanted until leave()", async () => {
    const { client, world } = testClient();
    const board = client.channel("board", "b1");
    await board.join();
    await board.join();
    expect(board.status.get().name).toBe("subscribed");
    board.on("moved", ignore)();
    await settle();
    expect(traffic(world)).toEqual(["+board:b1"]);
    board.leave();
    await settle();
    expect(traffic(world)).toEqual(["+board:b1", "-board:b1"]);
  });

  test("[CH8] It gives up on timeout and abort, without leaving timers", async () => {
    const { client } = testClient(silent());
    const board = client.channel("board", "b1");
    const controller = new AbortController();
    const outcomes = [
      failure(board.join({ timeoutMs: 50 })),
      failure(board.join({ signal: controller.signal })),
      failure(board.join({ signal: AbortSignal.abort() })),
      failure(client.channel("board", "b2").join()),
    ];
    await pass(50);
    controller.abort("enough");
    await pass(30_000);
    expect(await Promise.all(outcomes)).toMatchObject([
      { code: "TIMEOUT" },
      { code: "CANCELLED", cause: "enough" },
      { code: "CANCELLED" },
      { code: "TIMEOUT" },
    ]);
  });

  test("[CH8] It rejects with NOT_CONNECTED where no connection will come, at once or when that turns out", async () => {
    const { client } = testClient(silent());
    const board = client.channel("board", "b1");
    const outcome = failure(board.join());
    await settle();
    client.disconnect();
    expect(await outcome).toMatchObject({ code: "NOT_CONNECTED" });
    await expect(board.join()).rejects.toMatchObject({ code: "NOT_CONNECTED" });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("[CH8] leave() ends the wait also when a listener of the status calls it before join() has returned", async () => {
    const { client } = testClient();
    const board = client.channel("board", "b1");
    onChange(board.status, ({ name }) => name === "pending" && board.leave());
    expect(await failure(board.join())).toMatchObject({ code: "CANCELLED" });
  });

  test("[CH8] leave() ends the wait", async () => {
    const { client } = testClient(silent());
    const board = client.channel("board", "b1");
    const outcome = failure(board.join());
    board.leave();
    expect(await outcome).toMatchObject({ code: "CANCELLED" });
  });
});

describe("Resets", () => {
  /** A client on the journal, with what it hears. */
  function onJournal(behaviour = answers()) {
    const { client, world } = testClient(behaviour);
    const heard: string[] = [];
    const journal = client.channel("journal");
    journal.on("written", (line) => heard.push(`written ${line}`));
    journal.onReset(({ reason }) => heard.push(`reset ${reason}`));
    return { client, world, heard, journal };
  }

  test("[CH10] The first subscription resets nothing", async () => {
    const { heard, world } = onJournal();
    await settle();
    expect(heard).toEqual([]);
    expect(traffic(world)).toEqual(["+journal"]);
  });

  test("[CH10] After a drop the client asks to continue, and hears of the reset before any newer event", async () => {
    const { heard, world } = onJournal(answers({ subscribe: () => ({ reset: "server" }) }));
    await settle();
    heard.length = 0;
    world.sockets.last.end();
    await pass(5_000);
    world.sockets.last.receive(event("journal", "written", 7));
    expect(traffic(world)).toEqual(["+journal@"]);
    expect(heard).toEqual(["reset server", "written 7"]);
  });

  test("[CH10] A server that says neither what was missed nor that it cannot know counts as a reset", async () => {
    const { heard, world } = onJournal();
    await settle();
    world.sockets.last.end();
    await pass(5_000);
    expect(heard).toEqual(["reset server"]);
  });

  test("[CH10] What the server says was missed is delivered instead", async () => {
    const missed = [5, 6].map((line) => event("journal", "written", line));
    let again = false;
    const { heard, world } = onJournal(answers({ subscribe: () => (again ? { missed } : {}) }));
    await settle();
    again = true;
    world.sockets.last.end();
    await pass(5_000);
    expect(heard).toEqual(["written 5", "written 6"]);
  });

  test("[CH10] A channel without history promises nothing over a drop, and resets only when the server says so", async () => {
    const { client, world } = testClient();
    const heard = vi.fn();
    client.channel("agent-updates").onReset(heard);
    await settle();
    world.sockets.last.end();
    await pass(5_000);
    expect(heard).not.toHaveBeenCalled();
    expect(traffic(world)).toEqual(["+agent-updates"]);
  });

  test("[CH11] A reset while connected reaches the handlers in order with the events", async () => {
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

  test("[CH10] Swapping listeners while the connection is down does not lose the reset", async () => {
    const { heard, world, journal } = onJournal();
    await settle();
    world.sockets.last.end();
    journal.leave();
    journal.onReset(({ reason }) => heard.push(`new: reset ${reason}`));
    await pass(5_000);
    expect(heard).toEqual(["new: reset server"]);
  });
});
