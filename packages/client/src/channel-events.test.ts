import { defineProtocol, type ServerMessage } from "@holdfast/protocol";
import { describe, expect, test, vi } from "vitest";
import * as z from "zod/mini";
import { answers, connected } from "../test/support/behaviours.js";
import { boards, boardServer } from "../test/support/board.js";
import { heardInGroups } from "../test/support/event-groups.js";
import { at, missed, onJournal, written } from "../test/support/journal.js";
import { pass, settle, testClient, testClientOf, withFakeTime } from "../test/support/test-client.js";

withFakeTime();

const player = defineProtocol({
  name: "player",
  version: "1.0.0",
  channels: {
    player: {
      key: z.string(),
      events: { "queue.cleared": z.number(), "queue.track.added": z.string(), queued: z.number() },
    },
    rooms: { presence: z.object({}) },
  },
});

/** Creates a client of a channel whose events form groups, and a function that sends its events. */
async function playing() {
  const behaviour = answers({
    connected: connected({ protocol: { name: "player", version: "1.0.0", fingerprint: "x" } }),
  });
  const { client, world } = testClientOf(player, behaviour);
  const channel = client.channel("player", "p");
  const event = (name: string, data: unknown): void =>
    world.sockets.last.receive({ type: "event", channel: "player:p", event: name, data });
  return { client, world, channel, event };
}

describe("Groups of a channel's events", () => {
  test("[CH25] a group handler receives the name and data of each event of the group, beside the handlers of the event itself", async () => {
    const { channel, event } = await playing();
    const heard: unknown[] = [];
    channel.on("queue.cleared", (data) => heard.push(data));
    channel.on("queue.*", (given) => heard.push(["queue.*", given]));
    channel.on("queue.track.*", (given) => heard.push(["queue.track.*", given]));
    const off = channel.on("*", (given) => heard.push(["*", given]));
    await settle();
    event("queue.cleared", 1);
    event("queue.track.added", "a");
    event("queued", 2);
    event("unknown", 3);
    off();
    event("queued", 4);
    expect(heard).toEqual(heardInGroups);
  });

  test("[CH25] a group handler alone joins the channel, is awaited, and receives validated data", async () => {
    const { world, channel, event } = await playing();
    const heard: unknown[] = [];
    const off = channel.on("queue.*", async ({ data }) => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      heard.push(data);
      if (data === 2) throw new Error("bad handler");
    });
    await settle();
    expect(world.sockets.last.of("subscribe").map(({ data }) => data.channels)).toEqual([["player:p"]]);
    for (const data of [1, 2, "wrong", 3]) event("queue.cleared", data);
    await pass(15);
    expect(heard).toEqual([1]);
    await pass(20);
    expect(heard).toEqual([1, 2, 3]);
    expect(world.errors).toMatchObject([
      { error: { code: "BAD_MESSAGE" }, context: { source: "event", event: "queue.cleared" } },
      { error: { code: "HANDLER_FAILED" }, context: { source: "handler", event: "queue.cleared" } },
    ]);
    off();
    await settle();
    expect(channel.status.get().name).toBe("idle");
  });

  test("[CH25] a `*` handler receives and requests neither resets nor the document nor presence", async () => {
    const server = boardServer("board:b", { data: { title: "First", cards: [] }, version: 1 });
    const { client, world } = testClientOf(boards, server.behaviour);
    const heard: unknown[] = [];
    const board = client.channel("board", "b");
    board.on("*", ({ event, data }) => heard.push([event, data]));
    await settle();
    server.move(1);
    server.patch([{ op: "replace", path: ["title"], value: "Second" }]);
    const said: ServerMessage[] = [
      { type: "reset", channel: "board:b", data: { reason: "server" } },
      { type: "presence", channel: "board:b", data: { kind: "snapshot", joined: [], updated: [], left: [], count: 0 } },
    ];
    for (const message of said) world.sockets.last.receive(message);
    server.move(2);
    await settle();
    expect(heard).toEqual([
      ["moved", 1],
      ["moved", 2],
    ]);
    expect(server.asked.map(({ state }) => state)).toEqual([undefined]);
    expect(world.errors).toEqual([]);
  });

  test.each(["moved", "queued.*", "que*", "queue.track*", "*.cleared", "track.*", ".*", "", "$reset", "$*"])(
    "[CH15] on() with %j, which the channel does not have, throws INVALID_VALUE",
    async (name) => {
      const { channel } = await playing();
      expect(() => channel.on(name as never, () => undefined)).toThrow(
        expect.objectContaining({ code: "INVALID_VALUE", field: "event" }),
      );
      expect(channel.status.get().name).toBe("idle");
    },
  );

  test("[CH15] on(`*`) on a channel without events throws INVALID_VALUE", async () => {
    const { client } = await playing();
    expect(() => client.channel("rooms").on("*", () => undefined)).toThrow(
      expect.objectContaining({ code: "INVALID_VALUE" }),
    );
  });
});

describe("The second argument of an event handler", () => {
  test("[CH26] contains the event's id, and `replayed` for events that were missed during a drop", async () => {
    const { journal, receive, world } = onJournal([{ position: at(4) }, missed(6, 7)]);
    const heard: unknown[] = [];
    journal.on("written", (data, info) => heard.push([data, info]));
    journal.on("*", ({ data }, { id, replayed }) => heard.push(["*", data, id, replayed]));
    await settle();
    receive(written(5));
    world.sockets.last.end();
    await pass(5_000);
    receive(written(8));
    const told = (number: number, replayed: boolean): unknown[] => [
      [number, { id: `i${number}`, replayed }],
      ["*", number, `i${number}`, replayed],
    ];
    expect(heard).toEqual([...told(5, false), ...told(6, true), ...told(7, true), ...told(8, false)]);
  });

  test("[CH26] a lost event is replayed together with the event that revealed the gap", async () => {
    const { journal, receive } = onJournal([{ position: at(4) }, missed(5, 6)]);
    const heard: unknown[] = [];
    journal.on("written", (data, { replayed }) => heard.push([data, replayed]));
    await settle();
    receive(written(6));
    await settle();
    receive(written(7));
    expect(heard).toEqual([
      [5, true],
      [6, true],
      [7, false],
    ]);
  });

  test("[CH26] is frozen, so a handler cannot change the object for the next handler", async () => {
    const { client, world } = testClient();
    const board = client.channel("board", "b1");
    const heard: unknown[] = [];
    board.on("moved", (_data, info) => void ((info as { replayed: boolean }).replayed = true));
    board.on("moved", (_data, info) => heard.push(info));
    await settle();
    world.sockets.last.receive({ type: "event", channel: "board:b1", event: "moved", data: 1 });
    expect(heard).toEqual([{ id: undefined, replayed: false }]);
    expect(world.errors).toMatchObject([{ context: { source: "handler", event: "moved" } }]);
  });

  test("[CH26] an event that is published while a ready client subscribes again is delivered as replayed", async () => {
    const { journal, receive, server, answer, world } = onJournal([{ position: at(4) }]);
    const heard: unknown[] = [];
    journal.on("written", (data, { replayed }) => heard.push([data, replayed]));
    await settle();
    server.holds = true;
    const socket = world.sockets.last;
    receive(written(6));
    await settle();
    receive(written(7));
    answer(missed(5, 6, 7));
    receive(written(8));
    expect(heard).toEqual([
      [5, true],
      [6, true],
      [7, true],
      [8, false],
    ]);
    expect(world.sockets.last).toBe(socket);
  });

  test("[CH26] has no id and `replayed` is false on a channel without history; a direct event has no second argument", async () => {
    const { client, world } = testClient();
    const heard = vi.fn();
    client.channel("board", "b1").on("moved", heard);
    await settle();
    world.sockets.last.receive({ type: "event", channel: "board:b1", event: "moved", data: 1 });
    expect(heard).toHaveBeenCalledExactlyOnceWith(1, { id: undefined, replayed: false });

    const devices = defineProtocol({ name: "agents", version: "1.0.0", direct: { hello: z.string() } });
    const other = testClientOf(devices, answers());
    const greeted = vi.fn();
    other.client.direct.on("hello", greeted);
    await settle();
    const metadata = { id: "x", ack: true };
    other.world.sockets.last.receive({ type: "event", channel: "$user", event: "hello", data: "a", metadata });
    expect(greeted.mock.calls).toEqual([["a", undefined]]);
  });
});
