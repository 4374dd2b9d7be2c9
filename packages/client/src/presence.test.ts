import { type ClientMessage, defineProtocol, type ServerMessageOf } from "@holdfast/protocol";
import { describe, expect, test, vi } from "vitest";
import * as z from "zod/mini";
import { onChange } from "../test/support/changes.js";
import { answers, connected, grant } from "../test/support/behaviours.js";
import type { Attempt, Behaviour } from "../test/support/scripted-socket.js";
import { pass, settle, testClientOf, withFakeTime } from "../test/support/test-client.js";
import { presenceOf } from "./presence.js";

withFakeTime();

const rooms = defineProtocol({
  name: "rooms",
  version: "1.0.0",
  channels: {
    room: {
      key: z.string(),
      events: { said: z.string() },
      presence: z.object({ name: z.string(), since: z.optional(z.date()) }),
    },
    news: { events: { posted: z.string() } },
  },
});

type Said = ServerMessageOf<"presence">["data"];
type Member = Said["joined"][number];

const member = (user_id: string, name = user_id, devices = ["d1"]): Member => ({ user_id, devices, data: { name } });
const user = (userId: string, name = userId, devices = ["d1"]) => ({ userId, devices, data: { name } });

const say = (attempt: Attempt, said: Partial<Said>, channel = "room:r"): void =>
  attempt.receive({
    type: "presence",
    channel,
    data: { kind: "change", joined: [], updated: [], left: [], count: 0, ...said },
  });

/** Grants every channel and sends the presence snapshot after the answer. */
function serverOf(who: { members: Member[] }, verdict?: (channel: string) => object): Behaviour {
  const good = answers({ connected: connected({ protocol: { name: "rooms", version: "1.0.0", fingerprint: "x" } }) });
  return {
    ...good,
    received(attempt, message) {
      if (message.type !== "subscribe") return good.received!(attempt, message);
      grant(attempt, message, verdict);
      for (const asked of message.data.channels) {
        const channel = typeof asked === "string" ? asked : asked.channel;
        const { members } = who;
        if (!verdict) say(attempt, { kind: "snapshot", joined: members, count: members.length }, channel);
      }
    },
  };
}

function inRoom(members: Member[] = [member("ada"), member("bob")], verdict?: (channel: string) => object) {
  const who = { members };
  const { client, world } = testClientOf(rooms, serverOf(who, verdict));
  const room = client.channel("room", "r");
  const change = (said: Partial<Said>): void => say(world.sockets.last, said);
  /** The messages about the channel, without the handshake. */
  const sent = (): unknown[] =>
    world.sockets.last.sent
      .filter(({ type }) => type !== "auth")
      .map((message: ClientMessage) =>
        message.type === "set_presence"
          ? { set: message.data, ...(message.meta !== undefined && { meta: message.meta }) }
          : message.type,
      );
  return { client, world, room, who, change, sent };
}

describe("The presence list", () => {
  test("[PC1] subscribe() joins the channel; the list arrives with the answer, followed by changes", async () => {
    const { room, change, sent } = inRoom();
    const who = presenceOf(room);
    const heard = vi.fn();
    expect(who.get()).toEqual({ users: [], count: 0 });
    const off = onChange(who, heard);
    expect(room.status.get().name).toBe("pending");
    await settle();
    expect(room.status.get().name).toBe("subscribed");
    expect(who.get()).toEqual({ users: [user("ada"), user("bob")], count: 2 });
    change({ joined: [member("cyd")], updated: [member("ada", "Ada", ["d1", "d2"])], left: ["bob"], count: 2 });
    expect(who.get()).toEqual({ users: [user("ada", "Ada", ["d1", "d2"]), user("cyd")], count: 2 });
    expect(heard.mock.calls.map(([list]) => list.users.length)).toEqual([2, 2]);
    expect(heard.mock.lastCall![0]).toBe(who.get());
    off();
    off();
    await settle();
    expect(sent()).toEqual(["subscribe", "unsubscribe"]);
    expect(who.get()).toEqual({ users: [], count: 0 });
  });

  test("[PC2] the list and each user stay the same objects while the data does not change, even across a reconnect", async () => {
    const { world, room, change } = inRoom();
    const who = presenceOf(room);
    const heard = vi.fn();
    onChange(who, heard);
    await settle();
    const before = who.get();
    change({ updated: [member("bob")], count: 2 });
    world.sockets.last.end();
    expect(who.get()).toBe(before);
    await pass(5_000);
    expect(room.status.get().name).toBe("subscribed");
    expect(who.get()).toBe(before);
    expect(heard).toHaveBeenCalledTimes(1);
    change({ updated: [member("bob", "Bob")], count: 2 });
    expect(who.get()).not.toBe(before);
    expect(who.get().users[0]).toBe(before.users[0]);
    expect(who.get().users[1]).toEqual(user("bob", "Bob"));
    change({ count: 3 });
    expect(who.get().count).toBe(3);
  });

  test("[CN27] subscribe() calls the listener at once with the list, and reports an error of that call", async () => {
    const { world, room, change } = inRoom();
    const who = presenceOf(room);
    const counts: number[] = [];
    who.subscribe(({ count }) => counts.push(count));
    expect(counts).toEqual([0]);
    await settle();
    who.subscribe(({ count }) => {
      counts.push(-count);
      if (count === 2) throw new Error("a bug");
      return Promise.reject(new Error("another")) as never;
    });
    expect(counts).toEqual([0, 2, -2]);
    change({ count: 3 });
    await settle();
    expect(counts).toEqual([0, 2, -2, 3, -3]);
    const context = { source: "handler", channel: "room:r", event: "$presence" };
    expect(world.errors).toMatchObject([
      { error: { cause: { message: "a bug" } }, context },
      { error: { cause: { message: "another" } }, context },
    ]);
  });

  test("[PC2] presenceOf returns the same object for the same handle", () => {
    const { client, room } = inRoom();
    expect(presenceOf(room)).toBe(presenceOf(room));
    expect(presenceOf(client.channel("room", "r"))).not.toBe(presenceOf(room));
  });

  test("[PC3] after a drop the last list stays until the next snapshot replaces it", async () => {
    const { world, room, who: there } = inRoom();
    const who = presenceOf(room);
    who.subscribe(() => undefined);
    await settle();
    there.members = [member("cyd")];
    world.sockets.last.end();
    expect(who.get().users).toEqual([user("ada"), user("bob")]);
    await pass(5_000);
    expect(who.get()).toEqual({ users: [user("cyd")], count: 1 });
  });

  test("[PC3] leave() empties the list of the handle and removes the listeners; another handle keeps its list", async () => {
    const { client, room, change, sent } = inRoom();
    const other = presenceOf(client.channel("room", "r"));
    const who = presenceOf(room);
    const [mine, theirs] = [vi.fn(), vi.fn()];
    onChange(who, mine);
    onChange(other, theirs);
    await settle();
    expect(other.get()).toBe(who.get());
    room.leave();
    expect(who.get()).toEqual({ users: [], count: 0 });
    change({ left: ["bob"], count: 1 });
    expect(mine).toHaveBeenCalledTimes(1);
    expect(theirs).toHaveBeenCalledTimes(2);
    expect(other.get().users).toEqual([user("ada")]);
    expect(sent()).toEqual(["subscribe"]);
  });

  test("[PC4] a subscriber that is added after the join also receives the list", async () => {
    const { client, world, room, change, sent } = inRoom();
    room.on("said", () => undefined);
    await settle();
    change({ left: ["bob"], count: 1 });
    const who = presenceOf(room);
    const heard = vi.fn();
    onChange(who, heard);
    await settle();
    expect(heard).toHaveBeenCalledExactlyOnceWith({ users: [user("ada"), user("bob")], count: 2 });
    // The list was requested once, and the next subscriber receives the same list.
    expect(sent()).toEqual(["subscribe", "subscribe"]);
    expect(world.sockets.last.of("subscribe")[1]!.data).toEqual({ channels: ["room:r"] });
    const late = presenceOf(client.channel("room", "r"));
    late.subscribe(() => undefined);
    expect(late.get()).toBe(who.get());
    await settle();
    expect(sent()).toHaveLength(2);
    expect(room.status.get().name).toBe("subscribed");
  });

  test("[PC4] a subscriber that is removed and added again does not receive a stale list", async () => {
    const { room, who: there, change, sent } = inRoom();
    const who = presenceOf(room);
    room.on("said", () => undefined);
    const off = who.subscribe(() => undefined);
    await settle();
    off();
    there.members = [member("cyd")];
    change({ joined: there.members, left: ["ada", "bob"], count: 1 });
    who.subscribe(() => undefined);
    expect(who.get().users).toEqual([]);
    await settle();
    expect(who.get().users).toEqual([user("cyd")]);
    expect(sent()).toEqual(["subscribe", "subscribe"]);
  });

  test("[PC4] after leaving and joining again in one turn, the client requests the list again", async () => {
    const { room, sent } = inRoom();
    const who = presenceOf(room);
    who.subscribe(() => undefined);
    await settle();
    room.leave();
    who.subscribe(() => undefined);
    await settle();
    expect(sent()).toEqual(["subscribe", "subscribe"]);
    expect(who.get().users).toHaveLength(2);
  });

  test("[PC3] a refused channel has an empty list and the status refused", async () => {
    const { world, room } = inRoom();
    const who = presenceOf(room);
    const heard = vi.fn();
    onChange(who, heard);
    onChange(who, heard);
    await settle();
    const data = { code: "FORBIDDEN", message: "Not yours." };
    world.sockets.last.receive({ type: "unsubscribed", channel: "room:r", data });
    expect(who.get()).toEqual({ users: [], count: 0 });
    expect(heard).toHaveBeenCalledTimes(4);
    world.sockets.last.end();
    expect(who.get().users).toEqual([]);
    await pass(5_000);
    expect(who.get().users).toHaveLength(2);
  });

  test("[PC5] rich values are restored; if the data of a user does not match, onError receives the error and the user is not listed", async () => {
    const since = "1970-01-01T00:00:00.000Z";
    const rich: Member = {
      user_id: "ada",
      devices: [],
      data: { name: "Ada", since },
      meta: { values: { since: ["Date"] } },
    };
    const { world, room, change } = inRoom([rich, { ...member("bob"), data: { name: 7 } }]);
    const who = presenceOf(room);
    who.subscribe(() => undefined);
    who.subscribe(() => undefined);
    await settle();
    expect(who.get().users).toEqual([{ userId: "ada", devices: [], data: { name: "Ada", since: new Date(0) } }]);
    expect(world.errors).toMatchObject([
      { error: { code: "BAD_MESSAGE", field: "data.name" }, context: { source: "event", channel: "room:r" } },
    ]);
    change({ updated: [{ ...rich, data: {} }], count: 2 });
    expect(who.get().users).toEqual([]);
  });

  test("[PC5] if a listener throws, onError receives the error and other listeners are not affected", async () => {
    const { world, room } = inRoom();
    const heard = vi.fn();
    onChange(presenceOf(room), () => {
      throw new Error("bad listener");
    });
    onChange(presenceOf(room), heard);
    await settle();
    expect(heard).toHaveBeenCalledTimes(1);
    expect(world.errors).toMatchObject([{ error: { code: "HANDLER_FAILED" }, context: { channel: "room:r" } }]);
  });

  test("[PC1] a slow event handler does not delay the list", async () => {
    const { world, room, change } = inRoom();
    const who = presenceOf(room);
    who.subscribe(() => undefined);
    room.on("said", () => new Promise((resolve) => setTimeout(resolve, 1_000)));
    await settle();
    world.sockets.last.receive({ type: "event", channel: "room:r", event: "said", data: "hello" });
    change({ left: ["bob"], count: 1 });
    expect(who.get().users).toEqual([user("ada")]);
    await pass(1_000);
  });

  test("[PC1] presenceOf throws for a value that is not a handle of a channel with presence", () => {
    const { client } = inRoom();
    for (const wrong of [client.channel("news"), {}, undefined]) {
      expect(() => presenceOf(wrong as never)).toThrow(
        expect.objectContaining({ code: "INVALID_VALUE", field: "channel" }),
      );
    }
  });
});

describe("This user's presence", () => {
  test("[PC6] set() joins the channel; the data is sent behind subscribe in the same turn, and again on each reconnect", async () => {
    const { world, room, sent } = inRoom();
    presenceOf(room).set({ name: "Ada", since: new Date(0) });
    expect(room.status.get().name).toBe("pending");
    await settle();
    const told = {
      set: { name: "Ada", since: "1970-01-01T00:00:00.000Z" },
      meta: { v: 1, values: { since: ["Date"] } },
    };
    expect(sent()).toEqual(["subscribe", told]);
    expect(world.sockets.last.of("set_presence")[0]).toMatchObject({ channel: "room:r" });
    world.sockets.last.end();
    await pass(5_000);
    expect(sent()).toEqual(["subscribe", told]);
  });

  test("[PC6] the newest change is sent once per turn, or on the next connection if the client is not connected", async () => {
    const { client, world, room, sent } = inRoom();
    const who = presenceOf(room);
    who.set({ name: "a" });
    await settle();
    who.set({ name: "b" });
    who.set({ name: "c" });
    await settle();
    expect(sent()).toEqual(["subscribe", { set: { name: "a" } }, { set: { name: "c" } }]);
    world.sockets.last.end();
    who.set({ name: "d" });
    await pass(5_000);
    expect(sent()).toEqual(["subscribe", { set: { name: "d" } }]);
    client.disconnect();
    who.set({ name: "e" });
    await settle();
    client.connect();
    await settle();
    expect(sent()).toEqual(["subscribe", { set: { name: "e" } }]);
  });

  test("[PC7] set(undefined) withdraws the data and leaves the channel if no listener or join() wants the channel", async () => {
    const { room, sent } = inRoom();
    const who = presenceOf(room);
    const off = room.on("said", () => undefined);
    who.set({ name: "a" });
    await settle();
    who.set(undefined);
    who.set(undefined);
    await settle();
    expect(sent()).toEqual(["subscribe", { set: { name: "a" } }, { set: undefined }]);
    who.set({ name: "b" });
    await settle();
    off();
    await settle();
    expect(sent()).toHaveLength(4);
    who.set(undefined);
    await settle();
    // The server forgets the data with the channel, so no second message is needed.
    expect(sent().slice(4)).toEqual(["unsubscribe"]);
    expect(room.status.get().name).toBe("idle");
  });

  test("[PC7] leave() withdraws the handle's data, even if another handle or a new listener keeps the channel", async () => {
    const { client, room, sent } = inRoom();
    client.channel("room", "r").on("said", () => undefined);
    presenceOf(room).set({ name: "a" });
    await settle();
    room.leave();
    room.on("said", () => undefined);
    await settle();
    expect(sent()).toEqual(["subscribe", { set: { name: "a" } }, { set: undefined }]);
    presenceOf(room).set({ name: "b" });
    await settle();
    expect(sent().at(-1)).toEqual({ set: { name: "b" } });
  });

  test("[PC7] the newest data of several handles applies; when the handle withdraws the newest data, the previous data applies", async () => {
    const { client, world, room, sent } = inRoom();
    const [first, second] = [presenceOf(room), presenceOf(client.channel("room", "r"))];
    first.set({ name: "first" });
    second.set({ name: "second" });
    await settle();
    first.set({ name: "first again" });
    await settle();
    world.sockets.last.end();
    await pass(5_000);
    expect(sent()).toEqual(["subscribe", { set: { name: "first again" } }]);
    first.set(undefined);
    await settle();
    second.set(undefined);
    await settle();
    expect(sent().slice(2)).toEqual([{ set: { name: "second" } }, "unsubscribe"]);
  });

  test("[PC8] set() throws INVALID_INPUT for data that does not match, and changes nothing", async () => {
    const { room, sent } = inRoom();
    const who = presenceOf(room);
    expect(() => who.set({ name: 7 as never })).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT", field: "data.name" }),
    );
    await settle();
    expect(sent()).toEqual([]);
    who.set({ name: "a", secret: "dropped" } as never);
    await settle();
    expect(sent()).toEqual(["subscribe", { set: { name: "a" } }]);
  });

  test("[PC8] set() sends nothing on a refused channel", async () => {
    const error = { code: "FORBIDDEN", message: "Not yours." };
    const { room, sent } = inRoom([], () => ({ ok: false, error }));
    const who = presenceOf(room);
    who.set({ name: "a" });
    await settle();
    who.set({ name: "b" });
    await settle();
    expect(sent()).toEqual(["subscribe", { set: { name: "a" } }]);
    expect(room.status.get().name).toBe("refused");
  });

  test("[PC8] a refusal by the server goes to onError", async () => {
    const { world, room } = inRoom();
    presenceOf(room).set({ name: "a" });
    await settle();
    const data = { code: "FORBIDDEN", message: "Not that name." };
    world.sockets.last.receive({ type: "error", channel: "room:r", data });
    expect(world.errors).toMatchObject([
      { error: { code: "FORBIDDEN" }, context: { source: "server", channel: "room:r" } },
    ]);
  });
});
