import type { PresenceMember } from "@holdfast/protocol";
import { describe, expect, test } from "vitest";
import { subscribe } from "../support/identity-server.js";
import type { Peer } from "../support/server-harness.js";
import { LEASE_MS } from "../support/faulty-broker.js";
import {
  inRoom,
  type GroupInstance,
  type InstanceOptions,
  ROOM,
  startInstances,
  shows,
} from "../support/server-instances.js";

/**
 * The users that a client knows from its presence messages, sorted, each as `user:devices:name`.
 */
function known(peer: Peer): string[] {
  const users = new Map<string, PresenceMember>();
  for (const { data } of peer.of("presence")) {
    if (data.kind === "snapshot") users.clear();
    for (const member of [...data.joined, ...data.updated]) users.set(member.user_id, member);
    for (const id of data.left) users.delete(id);
  }
  return [...users.values()]
    .map(({ user_id, devices, data }) => `${user_id}:${devices.join()}:${(data as { name: string }).name}`)
    .sort();
}

const list = async ({ server }: GroupInstance): Promise<string[]> =>
  (await server.channel("room", "a").presence.list()).map(
    ({ userId, devices, data }) => `${userId}:${devices.join()}:${data.name}`,
  );

const left = (peer: Peer): string[] => peer.of("presence").flatMap(({ data }) => data.left);

describe("presence across all instances", () => {
  test("[IP1] every instance sends the same presence: a snapshot after the answer to subscribe, then changes", async () => {
    const [all, a, b, c] = await startInstances(3);
    const ada = await a!.enter("ada@desk", {}, ...inRoom("Ada"));
    await all.advance(300);
    const grace = await b!.enter("grace@desk", {}, ...inRoom("Grace"));
    expect(grace.received.slice(-2).map(({ type }) => type)).toEqual(["subscribe_response", "presence"]);
    expect(known(grace)).toEqual(["ada:desk:Ada"]);
    await a!.enter("grace@tv", {}, ...inRoom("Grace on TV"));
    await all.advance(300);
    const all3 = ["ada:desk:Ada", "grace:desk,tv:Grace on TV"];
    for (const peer of [ada, grace]) expect(known(peer)).toEqual(all3);
    // An instance without members of the channel lists the same users.
    for (const instance of [a!, b!, c!]) {
      expect(await list(instance)).toEqual(all3);
      expect(await instance.server.channel("room", "a").presence.count()).toBe(2);
    }
    await all.end();
    expect(all.environment.timers).toBe(0);
  });

  test("[IP1] all instances list the same users if not all fit, and show the same newest data of a user", async () => {
    const [all, a, b] = await startInstances(2, { limits: { presencePerChannel: 3 } });
    const names = ["e", "d", "c", "b", "a"];
    const peers: Peer[] = [];
    for (const [index, name] of names.entries())
      peers.push(await (index % 2 ? a! : b!).enter(name, {}, ...inRoom(name)));
    await all.advance(300);
    const late = [
      await a!.enter("z", {}, subscribe(ROOM)),
      await b!.enter("z", {}, subscribe(ROOM)),
      await all.start({ limits: { presencePerChannel: 3 } }).enter("z", {}, subscribe(ROOM)),
    ];
    const users = [...late, ...peers].map((peer) => known(peer).map(([user]) => user));
    for (const each of users) expect(each).toEqual(["c", "d", "e"]);
    expect(late.map((peer) => peer.last("presence").data.count)).toEqual([5, 5, 5]);
    await a!.enter("e@tv", {}, ...inRoom("first"));
    await b!.enter("e@desk", {}, ...inRoom("second"));
    await all.advance(300);
    for (const peer of late) expect(known(peer)[2]).toMatch(/:second$/);
    for (const instance of [a!, b!]) expect((await list(instance))[0]).toMatch(/^e:.*:second$/);
  });

  test("[IP1] if a device changes or withdraws its presence, or leaves the channel, members on another instance are told", async () => {
    const [all, a, b] = await startInstances(2);
    const watcher = await b!.enter("watcher", {}, subscribe(ROOM));
    const ada = await a!.enter("ada@desk", {}, ...inRoom("Ada"));
    await all.advance(300);
    await ada.send(shows("Countess"));
    await all.advance(300);
    expect(known(watcher)).toEqual(["ada:desk:Countess"]);
    await ada.send({ type: "set_presence", channel: ROOM });
    await all.advance(300);
    expect(known(watcher)).toEqual([]);
    await ada.send(shows("Ada"));
    await ada.send({ type: "unsubscribe", data: { channels: [ROOM] } });
    await all.advance(4_000);
    expect(known(watcher)).toEqual(["ada:desk:Ada"]);
    await all.advance(1_500);
    expect(known(watcher)).toEqual([]);
    watcher.socket.drop();
    await all.advance(6_000);
    expect(all.broker.store.topics.get(`$presence:${ROOM}`)?.table.size).toBe(0);
    for (const { server } of all.living) expect(server.stats().channels.active).toBe(0);
  });

  test("[IP2] a device that moves to another instance stays present with the same data, and no change is sent", async () => {
    const [all, a, b] = await startInstances(2);
    const watcher = await b!.enter("watcher", {}, subscribe(ROOM));
    const ada = await a!.enter("ada@desk", {}, ...inRoom("Ada"));
    await all.advance(300);
    const told = watcher.of("presence").length;
    ada.socket.drop();
    await all.advance(3_000);
    await b!.enter("ada@desk", {}, subscribe(ROOM));
    await all.stay(30_000);
    expect(watcher.of("presence")).toHaveLength(told);
    expect(known(watcher)).toEqual(["ada:desk:Ada"]);
    expect(await list(a!)).toEqual(["ada:desk:Ada"]);
    expect(all.broker.store.topics.get(`$presence:${ROOM}`)?.table.size).toBe(2);
  });

  test("[IP2] if a server closes, a device that reconnects to another server within the grace period stays present", async () => {
    const [all, a, b] = await startInstances(2);
    const watcher = await b!.enter("watcher", {}, subscribe(ROOM));
    await a!.enter("ada@desk", {}, ...inRoom("Ada"));
    await a!.enter("gone@desk", {}, ...inRoom("Gone"));
    await all.advance(300);
    const closing = a!.server.close({ graceMs: 0 });
    await all.advance(500);
    await closing;
    all.living.delete(a!);
    await b!.enter("ada@desk", {}, ...inRoom("Ada"));
    await all.advance(4_000);
    expect(left(watcher)).toEqual([]);
    await all.advance(2_000);
    expect(left(watcher)).toEqual(["gone"]);
    expect(known(watcher)).toEqual(["ada:desk:Ada"]);
  });

  test("[IP3] the users of a dead instance leave after the lease of the instance and then the grace period", async () => {
    const [all, a, b] = await startInstances(2);
    const watcher = await b!.enter("watcher", {}, subscribe(ROOM));
    await a!.enter("ada@desk", {}, ...inRoom("Ada"));
    await a!.enter("eve@desk", {}, ...inRoom("Eve"));
    await all.advance(300);
    a!.kill();
    await all.advance(LEASE_MS);
    await b!.enter("ada@desk", {}, ...inRoom("Ada"));
    await all.stay(4_500);
    expect(left(watcher)).toEqual([]);
    await all.advance(1_000);
    expect(left(watcher)).toEqual(["eve"]);
    expect(known(watcher)).toEqual(["ada:desk:Ada"]);
    // An instance that starts later does not list the users of the dead instance.
    expect(await list(all.start())).toEqual(["ada:desk:Ada"]);
    await all.end();
    expect(all.environment.timers).toBe(0);
  });

  test("[IP3] if no instance followed the channel when an instance died, the next subscription removes the dead entries", async () => {
    const [all, a, b] = await startInstances(2);
    await a!.enter("eve@desk", {}, ...inRoom("Eve"));
    a!.kill();
    await all.advance(LEASE_MS + 60_000);
    expect(await list(b!)).toEqual([]);
    const watcher = await b!.enter("watcher", {}, subscribe(ROOM));
    await all.advance(6_000);
    expect(known(watcher)).toEqual([]);
    expect(all.broker.store.topics.get(`$presence:${ROOM}`)?.table.size).toBe(1);
  });

  test("[IP4] the `presence` option receives the data that a client sent on another instance", async () => {
    const asked: unknown[] = [];
    const [all, a, b] = await startInstances(2, {
      presence: {
        room: ({ data }) => {
          asked.push(data?.name);
          return { name: `${data?.name ?? "nobody"}!` };
        },
      },
    } as InstanceOptions);
    await a!.enter("ada@desk", {}, ...inRoom("Ada"));
    await all.settle();
    await b!.enter("ada@tv", {}, subscribe(ROOM));
    await all.settle();
    expect(asked).toEqual([undefined, "Ada", "Ada"]);
    expect(await list(b!)).toEqual(["ada:desk,tv:Ada!"]);
  });

  test("[IP5] a lost announcement is recovered within 20 s", async () => {
    const [all, a, b] = await startInstances(2);
    const watcher = await b!.enter("watcher", {}, subscribe(ROOM));
    all.broker.loses = (instance) => instance === b!.id;
    await a!.enter("ada@desk", {}, ...inRoom("Ada"));
    await all.advance(1_000);
    expect(known(watcher)).toEqual([]);
    await all.stay(20_000);
    expect(known(watcher)).toEqual(["ada:desk:Ada"]);
  });

  test("[IP5] if the store loses the table, each instance stores its own members again", async () => {
    const [all, a, b] = await startInstances(2);
    const watcher = await b!.enter("watcher", {}, subscribe(ROOM));
    await a!.enter("ada@desk", {}, ...inRoom("Ada"));
    await all.advance(300);
    all.broker.forget();
    await all.advance(1_000);
    expect(known(watcher)).toEqual(["ada:desk:Ada"]);
    expect(left(watcher)).toEqual([]);
    // If another program deletes the entry of a living instance, the instance stores the entry
    // again.
    const topic = `$presence:${ROOM}`;
    const [field] = [...all.broker.store.topics.get(topic)!.table.keys()].filter((name) => name.includes("ada"));
    await all.broker.links[1]!.publish(topic, "x", "", { table: { entry: { field: field! }, ttlMs: 1_000 } });
    await all.advance(1_000);
    expect(known(watcher)).toEqual(["ada:desk:Ada"]);
    expect(left(watcher)).toEqual([]);
  });

  test("[IP6] while the broker is down, the first subscription to a channel with presence is refused with UNAVAILABLE, and presence data waits", async () => {
    const [all, a, b] = await startInstances(2);
    const ada = await a!.enter("ada@desk", {}, ...inRoom("Ada"));
    const watcher = await b!.enter("watcher", {}, subscribe(ROOM));
    await all.advance(300);
    all.broker.isDown = true;
    const late = await b!.enter("late", {}, subscribe("room:b"));
    expect(late.last("subscribe_response").data.results[0]).toMatchObject({
      ok: false,
      error: { code: "UNAVAILABLE" },
    });
    await ada.send(shows("Countess"));
    await all.advance(3_000);
    expect(known(watcher)).toEqual(["ada:desk:Ada"]);
    await expect(b!.server.channel("room", "c").presence.list()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(await list(b!)).toEqual(["ada:desk:Ada"]);
    all.broker.comeBack();
    await all.advance(1_500);
    expect(known(watcher)).toEqual(["ada:desk:Countess"]);
    await late.send(subscribe("room:b"));
    expect(late.last("subscribe_response").data.results[0]?.ok).toBe(true);
    await all.end();
    expect(all.environment.timers).toBe(0);
  });

  test("[IP5] foreign table entries and foreign messages are ignored, and presence and devices stay correct", async () => {
    const [all, a, b] = await startInstances(2);
    const watcher = await b!.enter("watcher", {}, subscribe(ROOM));
    const write = (field: string, value: string) =>
      all.broker.links[0]!.publish(`$presence:${ROOM}`, all.environment.newId(), "", {
        table: { entry: { field, value }, ttlMs: 600_000 },
      });
    for (const field of ["", "x", "[]", '["a","b"]', "[1,2,3]", JSON.stringify([a!.id, "u", "d"])])
      for (const value of ["", "x", "{}", '{"since":"x"}', '{"since":1,"came":1,"at":1,"shown":1}'])
        await write(field, value);
    await all.broker.links[0]!.publish(`$inbox:${b!.id}`, "", "garbage");
    await all.broker.links[0]!.publish(`$inbox:${b!.id}`, "", '{"from":"x","id":"y","question":{"kind":"format"}}');
    await all.broker.links[0]!.publish("$control", "c", "garbage", { log: { size: 1_000, ttlMs: 600_000 } });
    await all.broker.links[0]!.publish("$devices:u1", "d", "", {
      table: { entry: { field: "tv", value: "garbage" }, ttlMs: 600_000 },
    });
    await all.advance(1_000);
    expect(known(watcher)).toEqual([]);
    expect(await list(all.start())).toEqual([]);
    await a!.enter("u1@one", {}, ...inRoom("Ada"));
    await all.advance(7_000);
    expect(known(watcher)).toEqual(["u1:one:Ada"]);
    expect((await b!.user("u1").devices()).map(({ id }) => id)).toEqual(["one"]);
  });
});
