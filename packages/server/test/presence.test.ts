import { defineProtocol } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { Stats } from "../src/observe/stats.js";
import { identityServer, player, sessionOf, stayConnected, subscribe } from "./support/identity-server.js";
import { bareChannels } from "./support/bare-channels.js";
import { ForeignPromise } from "./support/foreign-promise.js";
import type { Peer } from "./support/server-harness.js";
import { VirtualEnvironment } from "./support/virtual-environment.js";

const ROOM = "room:a";
const shows = (name: string, more: object = {}) => ({
  type: "set_presence",
  correlation_id: "p",
  channel: ROOM,
  data: { name, ...more },
});
const told = (peer: Peer) => peer.of("presence").map(({ data }) => data);
const member = (user_id: string, devices: string[], name: string) => ({ user_id, devices, data: { name } });
const change = (more: object) => ({ kind: "change", joined: [], updated: [], left: [], ...more });

/**
 * Connects a user who joins the room with the presence `name`, and waits for the batch of changes.
 */
async function enter(
  { connect, harness }: ReturnType<typeof identityServer>,
  token: string,
  name: string,
): Promise<Peer> {
  const peer = await connect(token, {}, subscribe(ROOM), shows(name));
  await harness.advance(200);
  return peer;
}

describe("a session that joins a channel with presence", () => {
  test("[PS1] receives a snapshot after the answer to subscribe, and then each change", async () => {
    const all = identityServer();
    const ada = await enter(all, "ada@desk", "Ada");
    const grace = await all.connect("grace@desk", {}, subscribe(ROOM));
    expect(grace.received.slice(-2)).toMatchObject([
      { type: "subscribe_response" },
      {
        type: "presence",
        channel: ROOM,
        data: { ...change({ joined: [member("ada", ["desk"], "Ada")] }), kind: "snapshot", count: 1 },
      },
    ]);
    await grace.send(shows("Grace"));
    await all.harness.advance(200);
    const joined = change({ joined: [member("grace", ["desk"], "Grace")], count: 2 });
    expect(told(ada).at(-1)).toEqual(joined);
    expect(told(grace).at(-1)).toEqual(joined);
  });

  test("[PS16] receives the snapshot again if it subscribes again, and stays one member", async () => {
    const all = identityServer();
    await enter(all, "ada@desk", "Ada");
    const late = await all.connect("grace", {}, subscribe(ROOM), subscribe(ROOM));
    expect(told(late).map(({ kind, joined }) => [kind, joined.length])).toEqual([
      ["snapshot", 1],
      ["snapshot", 1],
    ]);
    expect(all.server.channel("room", "a").subscribers).toBe(2);
    // A message that names the channel several times counts once.
    await late.send(subscribe(...Array.from({ length: 500 }, () => ROOM)));
    expect(told(late)).toHaveLength(3);
  });

  test("[PS1] receives no presence on a channel that declares no presence, and set_presence is refused with FORBIDDEN", async () => {
    const { harness, connect } = identityServer();
    const peer = await connect("u1", {}, subscribe("news"), { ...shows("Ada"), channel: "news" });
    await harness.advance(1_000);
    expect(told(peer)).toEqual([]);
    expect(peer.last("error")).toMatchObject({ correlation_id: "p", channel: "news", data: { code: "FORBIDDEN" } });
  });

  test("[PS11] is not listed if it shows no presence", async () => {
    const all = identityServer();
    const watcher = await all.connect("watcher", {}, subscribe(ROOM));
    await enter(all, "ada", "Ada");
    expect(told(watcher).at(-1)).toMatchObject({ count: 1, joined: [{ user_id: "ada" }] });
    expect(await all.server.channel("room", "a").presence.count()).toBe(1);
    watcher.socket.drop();
    await all.harness.advance(6_000);
    expect(told(watcher)).toHaveLength(2);
  });
});

describe("a user on several devices", () => {
  test("[PS2] the user is listed once with all devices; a second device that joins or leaves is an update", async () => {
    const all = identityServer();
    const watcher = await enter(all, "watcher", "Watcher");
    await enter(all, "ada@desk", "Ada");
    const phone = await all.connect("ada@phone", {}, subscribe(ROOM));
    await all.harness.advance(200);
    expect(told(watcher).at(-1)).toEqual(change({ updated: [member("ada", ["desk", "phone"], "Ada")], count: 2 }));
    const heard = told(watcher).length - 1;
    phone.socket.drop();
    await all.harness.advance(5_000);
    expect(told(watcher)).toHaveLength(heard + 1);
    await all.harness.advance(400);
    expect(told(watcher).at(-1)).toEqual(change({ updated: [member("ada", ["desk"], "Ada")], count: 2 }));
  });

  test("[PS2] the newest presence of any device is shown; if the newest is withdrawn, or its device leaves, the next newest is shown", async () => {
    const all = identityServer();
    const shown = async () => (await all.server.channel("room", "a").presence.list()).map(({ data }) => data.name);
    const desk = await enter(all, "ada@desk", "at the desk");
    const phone = await enter(all, "ada@phone", "on the phone");
    expect(await shown()).toEqual(["on the phone"]);
    await desk.send(shows("at the desk"));
    expect(await shown()).toEqual(["on the phone"]);
    await phone.send({ type: "set_presence", channel: ROOM });
    expect(await shown()).toEqual(["at the desk"]);
    await phone.send(shows("on the phone"));
    phone.socket.drop();
    await all.harness.advance(5_100);
    expect(await shown()).toEqual(["at the desk"]);
    await desk.send({ type: "set_presence", channel: ROOM });
    expect(await shown()).toEqual([]);
  });

  test("[PS3] the user stays listed for 5 s after the last device has left; if a device returns by then, no change is sent", async () => {
    const all = identityServer();
    const watcher = await enter(all, "watcher", "Watcher");
    const desk = await enter(all, "ada@desk", "Ada");
    const heard = told(watcher).length;
    desk.socket.drop();
    await all.harness.advance(4_900);
    const back = await all.connect("ada@desk", {}, subscribe(ROOM));
    await stayConnected(all.harness, 20_000, watcher, back);
    expect(told(watcher)).toHaveLength(heard);
    await back.send({ type: "unsubscribe", data: { channels: [ROOM] } });
    await all.harness.advance(4_900);
    expect(told(watcher)).toHaveLength(heard);
    await all.harness.advance(400);
    expect(told(watcher).at(-1)).toEqual(change({ left: ["ada"], count: 1 }));
  });

  test("[PS3] if the user returns on another device within 5 s, the user is not reported as left", async () => {
    const all = identityServer();
    const watcher = await enter(all, "watcher", "Watcher");
    (await enter(all, "ada@desk", "Ada")).socket.drop();
    await all.connect("ada@phone", {}, subscribe(ROOM), shows("Ada"));
    await all.harness.advance(10_000);
    expect(told(watcher).slice(-2)).toEqual([
      change({ updated: [member("ada", ["desk", "phone"], "Ada")], count: 2 }),
      change({ updated: [member("ada", ["phone"], "Ada")], count: 2 }),
    ]);
    expect(told(watcher).flatMap(({ left }) => left)).toEqual([]);
  });

  test("[PS3] with `presenceGraceMs: 0` the user is removed at once", async () => {
    const all = identityServer({ presenceGraceMs: 0 });
    const watcher = await enter(all, "watcher", "Watcher");
    (await enter(all, "ada", "Ada")).socket.drop();
    await all.harness.advance(200);
    expect(told(watcher).at(-1)).toEqual(change({ left: ["ada"], count: 1 }));
  });

  test("[PS13] a user who loses the permission for the channel is removed from the presence list", async () => {
    let banned = false;
    const all = identityServer({ authorize: ({ session }) => !(banned && session.userId === "ada") });
    const watcher = await enter(all, "watcher", "Watcher");
    await enter(all, "ada", "Ada");
    banned = true;
    await all.server.user("ada").reauthorize();
    await all.harness.advance(5_300);
    expect(told(watcher).at(-1)).toEqual(change({ left: ["ada"], count: 1 }));
  });
});

describe("presence messages", () => {
  test("[PS4] changes are sent in batches: a hundred users who join at once are one message for each member", async () => {
    const all = identityServer();
    const watcher = await enter(all, "watcher", "Watcher");
    const heard = told(watcher).length;
    for (let count = 0; count < 100; count++) await all.connect(`u${count}`, {}, subscribe(ROOM), shows("N"));
    await all.harness.advance(200);
    expect(told(watcher)).toHaveLength(heard + 1);
    expect(told(watcher).at(-1)?.joined).toHaveLength(100);
    expect(told(watcher).at(-1)?.count).toBe(101);
  });

  test("[PS4] a user who joins and leaves within one batch is not reported", async () => {
    const all = identityServer({ presenceGraceMs: 0 });
    const watcher = await enter(all, "watcher", "Watcher");
    const heard = told(watcher).length;
    const peer = await all.connect("ada", {}, subscribe(ROOM), shows("Ada"));
    peer.socket.drop();
    await all.harness.advance(1_000);
    expect(told(watcher)).toHaveLength(heard);
  });

  test("[PS7] the list is limited and the other users are counted; when a listed user leaves, the next one is listed", async () => {
    const all = identityServer({ limits: { presencePerChannel: 3 }, presenceGraceMs: 0 });
    const peers = [];
    for (const name of ["a", "b", "c", "d", "e"]) peers.push(await enter(all, name, name.toUpperCase()));
    const late = await all.connect("watcher", {}, subscribe(ROOM));
    expect(told(late)[0]).toMatchObject({ kind: "snapshot", count: 5 });
    expect(told(late)[0]?.joined.map(({ user_id }) => user_id)).toEqual(["a", "b", "c"]);
    peers[1]!.socket.drop();
    await all.harness.advance(200);
    expect(told(late).at(-1)).toEqual(
      change({ joined: [member("d", [sessionOf(peers[3]!)], "D")], left: ["b"], count: 4 }),
    );
    expect(await all.server.channel("room", "a").presence.count()).toBe(4);
  });

  test("[PS7] the list is limited to 256 KiB, so that a snapshot stays below the limit of owed bytes", async () => {
    const all = identityServer();
    for (let count = 0; count < 300; count++)
      await all.connect(`u${count}`, {}, subscribe(ROOM), shows("n".repeat(990)));
    await all.harness.advance(200);
    const late = await all.connect("watcher", {}, subscribe(ROOM));
    const [snapshot] = late.of("presence");
    expect(snapshot?.data.count).toBe(300);
    expect(snapshot?.data.joined.length).toBeGreaterThan(200);
    expect(JSON.stringify(snapshot).length).toBeLessThan(270_000);
    // 300 clients, each of which is told of the others: 4 s on two busy cores.
  }, 20_000);

  test("[PS12] when all users have left, no timer and no entry is left", async () => {
    const environment = new VirtualEnvironment();
    const stats = new Stats();
    const { channels } = bareChannels(player, environment, stats);
    const room = channels.identify("room", "a");
    const members = ["ada", "grace", undefined].map((userId) => ({
      userId,
      deviceId: userId,
      isBehind: true,
      dismiss() {},
      deliver: () => {},
    }));
    for (const who of members) {
      channels.join(room, who);
      channels.presences.set(room, who, { name: "x" }, undefined);
      channels.presences.welcome(room, who);
    }
    expect(channels.presences.size).toBe(1);
    for (const who of members) channels.leave(room.wire, who);
    environment.pass(10_000);
    expect(channels.presences.size).toBe(0);
    expect(environment.timers).toBe(0);
  });

  test("[PS17] a connection that is behind receives the snapshots after it has caught up, and is not closed", async () => {
    const all = identityServer({ limits: { owedBytes: 65_536, messageBytes: 65_536 } });
    const crowd = [];
    const rooms = Array.from({ length: 40 }, (_, index) => `room:${index}`);
    for (let count = 0; count < 20; count++)
      crowd.push(
        await all.connect(
          `u${count}`,
          {},
          subscribe(...rooms),
          ...rooms.map((channel) => ({ ...shows("名".repeat(250)), channel })),
        ),
      );
    await all.harness.advance(2_000);
    const late = await all.connect("late", {}, subscribe(...rooms));
    // All rooms are joined at once, as after a restart.
    late.socket.stall(true);
    await all.harness.advance(2_000);
    late.socket.stall(false);
    await all.harness.advance(20_000);
    for (const peer of [late, ...crowd]) expect(peer.closed).toBeUndefined();
    const seen = new Map<string, Set<string>>();
    for (const { channel, data } of late.of("presence")) {
      const users = data.kind === "snapshot" ? new Set<string>() : (seen.get(channel) ?? new Set());
      for (const { user_id } of [...data.joined, ...data.updated]) users.add(user_id);
      for (const id of data.left) users.delete(id);
      seen.set(channel, users);
    }
    // 40 lists of 16 KB each, on connections that may be owed 64 KiB.
    expect([...seen.values()].map(({ size }) => size)).toEqual(rooms.map(() => 20));
    expect(late.last("presence").data.count).toBe(20);
  }, 20_000);

  test("[PS4] every member, and every session that joins before the next change, receives the same bytes", async () => {
    const environment = new VirtualEnvironment();
    const { channels } = bareChannels(player, environment);
    const room = channels.identify("room", "a");
    const frames: unknown[][] = [[], []];
    const members = frames.map((heard, index) => ({
      userId: `u${index}`,
      deviceId: "d",
      isBehind: false,
      dismiss() {},
      deliver: (frame: unknown) => void heard.push(frame),
    }));
    for (const who of members) {
      channels.join(room, who);
      channels.presences.set(room, who, { name: "x" }, undefined);
    }
    environment.pass(1_000);
    for (const who of members) channels.presences.welcome(room, who);
    expect(frames[0]).toHaveLength(2);
    expect(frames[0]![0]).toBe(frames[1]![0]);
    expect(frames[0]![1]).toBe(frames[1]![1]);
  });
});

describe("set_presence of a client", () => {
  test("[PS5] presence can be changed and withdrawn", async () => {
    const all = identityServer();
    const watcher = await enter(all, "watcher", "Watcher");
    const ada = await enter(all, "ada@desk", "Ada");
    await ada.send(shows("Countess"));
    await all.harness.advance(200);
    expect(told(watcher).at(-1)).toEqual(change({ updated: [member("ada", ["desk"], "Countess")], count: 2 }));
    await ada.send({ type: "set_presence", channel: ROOM });
    await all.harness.advance(200);
    expect(told(watcher).at(-1)).toEqual(change({ left: ["ada"], count: 1 }));
    const heard = told(watcher).length;
    await ada.send(shows("Watcher"), shows("Ada"), shows("Watcher"));
    await all.harness.advance(200);
    expect(told(watcher)).toHaveLength(heard + 1);
  });

  test("[PS5] invalid presence is answered with INVALID_INPUT and the field, and the previous presence stays", async () => {
    const all = identityServer();
    const ada = await enter(all, "ada", "Ada");
    await ada.send({ ...shows("x"), data: { name: 7 } });
    expect(ada.last("error")).toMatchObject({
      correlation_id: "p",
      channel: ROOM,
      data: { code: "INVALID_INPUT", field: "data.name" },
    });
    await ada.send({ ...shows("Ada"), channel: "room:other" });
    expect(ada.last("error")).toMatchObject({ channel: "room:other", data: { code: "FORBIDDEN" } });
    await ada.send({ ...shows("Ada"), channel: "nowhere" });
    expect(ada.last("error")).toMatchObject({ data: { code: "FORBIDDEN" } });
    expect(await all.server.channel("room", "a").presence.list()).toMatchObject([{ data: { name: "Ada" } }]);
    const nobody = await all.connect("nobody1");
    await nobody.send(shows("before any subscribe"));
    expect(nobody.last("error").data.code).toBe("FORBIDDEN");
  });

  test("[PS8] presence above 1 KiB is refused with LIMIT_EXCEEDED", async () => {
    const all = identityServer();
    const ada = await enter(all, "ada", "Ada");
    await ada.send(shows("n".repeat(1_024)));
    expect(ada.last("error").data).toMatchObject({ code: "LIMIT_EXCEEDED", field: "data" });
    expect(await all.server.channel("room", "a").presence.list()).toMatchObject([{ data: { name: "Ada" } }]);
  });

  test("[PS15] too many set_presence messages behind a pending authorize close the connection with 4429", async () => {
    const all = identityServer({ authorize: () => new Promise<boolean>(() => {}) });
    const ada = await all.connect("ada", {}, subscribe(ROOM));
    for (let sent = 0; sent < 257 && !ada.closed; sent++) await ada.send(shows("Ada"));
    expect(ada.closed).toEqual({ code: 4429, reason: '{"retryAfterMs":1000}' });
  });

  test("[PS14] set_presence takes effect after the subscribe before it, however long authorize takes", async () => {
    let decide: ((allowed: boolean) => void) | undefined;
    const all = identityServer({ authorize: () => new Promise<boolean>((resolve) => (decide = resolve)) });
    const ada = await all.connect("ada", {}, subscribe(ROOM), shows("Ada"));
    expect(ada.of("error")).toEqual([]);
    decide!(true);
    await all.harness.settle();
    await all.harness.advance(200);
    expect(told(ada).at(-1)).toMatchObject({ joined: [{ user_id: "ada", data: { name: "Ada" } }] });
  });

  test("[PS10] rich values of presence reach other clients and the server", async () => {
    const all = identityServer();
    const at = "2026-11-24T10:00:00.000Z";
    const rich = { ...shows("Ada", { since: at }), meta: { values: { since: ["Date"] } } };
    const ada = await all.connect("ada@desk", {}, subscribe(ROOM), rich);
    await all.harness.advance(200);
    expect(ada.of("error")).toEqual([]);
    expect(told(ada).at(-1)?.joined).toEqual([
      {
        user_id: "ada",
        devices: ["desk"],
        data: { name: "Ada", since: at },
        meta: { values: { since: ["Date"] }, v: 1 },
      },
    ]);
    expect(await all.server.channel("room", "a").presence.list()).toEqual([
      { userId: "ada", devices: ["desk"], data: { name: "Ada", since: new Date(at) } },
    ]);
  });
});

describe("the `presence` option of the application", () => {
  test("[PS6] decides the shown data as soon as a session joins, and hides the user with `undefined`", async () => {
    const all = identityServer({
      presence: {
        room: ({ identity, key, data }) =>
          identity.userId === "hidden" ? undefined : { name: `${identity.userId} of ${key}: ${data?.name ?? "-"}` },
      },
    });
    const ada = await all.connect("ada@desk", {}, subscribe(ROOM));
    await all.connect("hidden", {}, subscribe(ROOM), shows("I am here"));
    await all.harness.advance(200);
    expect(told(ada).at(-1)).toEqual(change({ joined: [member("ada", ["desk"], "ada of a: -")], count: 1 }));
    await ada.send(shows("hello"));
    await all.harness.advance(200);
    expect(told(ada).at(-1)).toEqual(change({ updated: [member("ada", ["desk"], "ada of a: hello")], count: 1 }));
    // The second device has set no presence, so the presence of the first still counts.
    await all.connect("ada@phone", {}, subscribe(ROOM));
    await all.harness.advance(200);
    expect(told(ada).at(-1)?.updated).toEqual([member("ada", ["desk", "phone"], "ada of a: hello")]);
  });

  test("[PS6] if the option throws, the user is not listed, and the cause appears only in the log", async () => {
    const errors: unknown[] = [];
    const ignore = () => {};
    const all = identityServer({
      presence: {
        room: () => {
          throw new Error("no such table");
        },
      },
      logger: { debug: ignore, info: ignore, warn: ignore, error: (fields: object) => errors.push(fields) },
    });
    const ada = await all.connect("ada", {}, subscribe(ROOM), shows("Ada"));
    expect(ada.last("subscribe_response").data.success).toBe(true);
    expect(ada.last("error").data).toMatchObject({ code: "INTERNAL" });
    expect(JSON.stringify(ada.received)).not.toContain("table");
    expect(errors).toHaveLength(2);
    expect(await all.server.channel("room", "a").presence.count()).toBe(0);
  });

  test("[PS6] is called again after a refresh of the credential", async () => {
    let role = "admin";
    const all = identityServer({
      authenticate: ({ token }) => ({ userId: token, claims: role }),
      presence: { room: ({ identity }) => ({ name: identity.claims }) },
    });
    const shown = async () => (await all.server.channel("room", "a").presence.list()).map(({ data }) => data.name);
    const ada = await all.connect("ada", {}, subscribe(ROOM));
    expect(await shown()).toEqual(["admin"]);
    role = "guest";
    await ada.send({ type: "auth", data: { token: "ada" } });
    expect(await shown()).toEqual(["guest"]);
  });

  test("[PS6] if the option returns a promise, the client receives INTERNAL, and the rejection does not end the process", async () => {
    const all = identityServer({ presence: { room: () => ForeignPromise.reject(new Error("no database")) as never } });
    const ada = await all.connect("ada", {}, subscribe(ROOM), shows("Ada"));
    await all.harness.settle();
    expect(ada.last("error").data.code).toBe("INTERNAL");
  });

  test("[PS6] if the option returns invalid data, the client receives INTERNAL", async () => {
    const all = identityServer({ presence: { room: () => ({ name: 7 }) as never } });
    const ada = await all.connect("ada", {}, subscribe(ROOM), shows("Ada"));
    expect(ada.last("error").data.code).toBe("INTERNAL");
  });
});

describe("presence on the server", () => {
  test("[PS9] list returns the users with devices and data, and count their number", async () => {
    const all = identityServer();
    await enter(all, "ada@desk", "Ada");
    await all.connect("ada@phone", {}, subscribe(ROOM));
    await enter(all, "grace@desk", "Grace");
    const { presence } = all.server.channel("room", "a");
    expect(await presence.list()).toEqual([
      { userId: "ada", devices: ["desk", "phone"], data: { name: "Ada" } },
      { userId: "grace", devices: ["desk"], data: { name: "Grace" } },
    ]);
    expect(await presence.count()).toBe(2);
    expect(await all.server.channel("room", "empty").presence.list()).toEqual([]);
    expect(() => all.server.channel("news").presence as unknown).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", message: expect.stringContaining("news") }),
    );
  });

  test("[PS11] createServer refuses presence without authenticate, because every client would be anonymous", () => {
    expect(() => createServer(player)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", field: "authenticate" }),
    );
    const other = defineProtocol({ name: "p", version: "1.0.0", channels: { a: { events: { e: z.string() } } } });
    const options = { authenticate: () => ({ userId: "u" }), presence: { a: () => "x" } };
    expect(() => createServer(other, options as object)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", field: "presence.a" }),
    );
  });
});
