import { describe, expect, test } from "vitest";
import { sessionOf } from "../support/identity-server.js";
import { LEASE_MS } from "../support/faulty-broker.js";
import { acknowledge, heard, startInstances } from "../support/server-instances.js";

describe("a device on two instances", () => {
  test("[IS1] a newer connection on another instance replaces the older connection, which is closed with 4409", async () => {
    const [all, a, b] = await startInstances(2);
    const ended: string[] = [];
    a!.server.onSession((event) => void (event.type === "ended" && ended.push(event.reason)));
    const first = await a!.enter("u1@phone");
    const other = await a!.enter("u2@phone");
    const second = await b!.enter("u1@phone");
    expect(first.closed).toEqual({ code: 4409, reason: "a newer connection of the same device took its place" });
    expect([other.closed, second.closed]).toEqual([undefined, undefined]);
    expect(ended).toEqual(["replaced"]);
    for (const { user } of [a!, b!])
      expect(await user("u1").devices()).toEqual([
        {
          id: "phone",
          sessionId: sessionOf(second),
          connectedAt: expect.any(Date) as Date,
          lastActiveAt: expect.any(Date) as Date,
        },
      ]);
    await all.end();
    expect(all.environment.timers).toBe(0);
  });

  test("[IS1] of two concurrent connections of a device on two instances, one stays and the other is closed with 4409", async () => {
    const [all, a, b] = await startInstances(2);
    const peers = [await a!.connect(), await b!.connect()];
    for (const peer of peers) peer.socket.send(JSON.stringify({ type: "auth", data: { token: "u1@phone" } }));
    await all.settle();
    await all.advance(5_000);
    expect(peers.filter(({ closed }) => !closed)).toHaveLength(1);
    expect(peers.find(({ closed }) => closed)?.closed?.code).toBe(4409);
  });

  test("[IS1] a device may move back and forth repeatedly, and late notices close no connection", async () => {
    const [all, a, b] = await startInstances(2);
    let last = await a!.enter("u1@phone");
    for (let count = 0; count < 5; count++) {
      const next = await (count % 2 ? a! : b!).enter("u1@phone");
      expect(last.closed?.code).toBe(4409);
      last = next;
    }
    await all.stay(60_000);
    expect(last.closed).toBeUndefined();
    expect((await a!.user("u1").devices()).map(({ sessionId }) => sessionId)).toEqual([sessionOf(last)]);
  });

  test("[IS1] if the notice about a replaced connection is lost, the notice is repeated until the connection is closed", async () => {
    const [all, a, b] = await startInstances(2);
    all.broker.loses = (_instance, topic) => topic.startsWith("$inbox");
    const first = await a!.enter("u1@phone");
    await b!.enter("u1@phone");
    await all.advance(5_000);
    expect(first.closed).toBeUndefined();
    all.broker.loses = () => false;
    await all.advance(2_500);
    expect(first.closed?.code).toBe(4409);
  });

  test("[IS2] a device that reconnects to another instance starts a new session there, and the old session ends with the reason `moved`", async () => {
    const [all, a, b] = await startInstances(2);
    const ended: string[] = [];
    a!.server.onSession((event) => void (event.type === "ended" && ended.push(event.reason)));
    const named = await a!.enter("u1@phone");
    const tab = await a!.enter("u2");
    named.socket.drop();
    const again = await b!.enter("u1@phone", { session_id: sessionOf(named) });
    // The server does not know yet that the old connection is dead.
    const tabAgain = await b!.enter("u2", { session_id: sessionOf(tab) });
    await all.settle();
    expect(ended).toEqual(["moved", "moved"]);
    expect(tab.closed).toEqual({ code: 4409, reason: "the session continues on a newer connection" });
    for (const peer of [again, tabAgain]) expect(peer.last("connected").data.resumed).toBeUndefined();
    expect(sessionOf(tabAgain)).not.toBe(sessionOf(tab));
    // The old instance keeps no second device.
    expect((await a!.user("u2").devices()).map(({ id }) => id)).toEqual([sessionOf(tabAgain)]);
    expect(await a!.server.user("u2").send("hello", "x")).toEqual({ delivered: [sessionOf(tabAgain)], failed: [] });
    await all.end();
    expect(all.environment.timers).toBe(0);
  });

  test("[IS2] naming the session of another user or device does not move that session", async () => {
    const [, a, b] = await startInstances(2);
    const phone = await a!.enter("u1@phone");
    await b!.enter("u2", { session_id: sessionOf(phone) });
    await b!.enter("u1@tv", { session_id: sessionOf(phone) });
    expect(phone.closed).toBeUndefined();
    expect(a!.server.session(sessionOf(phone)).get()?.isConnected).toBe(true);
  });
});

describe("the limit of devices per user across all instances", () => {
  test("[IS3] a device beyond the limit is refused with 4429 and a retry delay", async () => {
    const [all, a, b, c] = await startInstances(3, { devices: { perUser: 2 } });
    const first = [await a!.enter("u1@one"), await b!.enter("u1@two")];
    await all.advance(1_000);
    const third = await c!.enter("u1@three");
    expect(third.closed).toEqual({ code: 4429, reason: '{"retryAfterMs":30000}' });
    expect(first.map(({ closed }) => closed)).toEqual([undefined, undefined]);
    // A session that waits for its client to return does not count.
    first[0]!.socket.drop();
    await all.settle();
    const again = await c!.enter("u1@three");
    await all.settle();
    expect(again.closed).toBeUndefined();
    expect((await a!.user("u1").devices()).map(({ id }) => id).sort()).toEqual(["three", "two"]);
    expect(a!.server.user("u1").sessions({ away: true })).toEqual([]);
  });

  test("[IS3] with `replace_oldest` the device that was silent longest is closed, on any instance", async () => {
    const [all, a, b, c] = await startInstances(3, { devices: { perUser: 2, whenFull: "replace_oldest" } });
    const one = await a!.enter("u1@one");
    await all.advance(1_000);
    const two = await b!.enter("u1@two");
    await all.advance(5_000);
    await one.send({ type: "ping" });
    await all.advance(1_000);
    const three = await c!.enter("u1@three");
    await all.settle();
    expect([one, two, three].map(({ closed }) => closed?.code)).toEqual([undefined, 4409, undefined]);
  });
});

describe("sending to a user", () => {
  test("[IS4] reaches the devices on all instances and returns a result for each", async () => {
    const [, a, b, c] = await startInstances(3);
    const peers = [await a!.enter("u1@one"), await b!.enter("u1@two"), await c!.enter("u1@three")];
    const waiting = await c!.enter("u1@four");
    waiting.socket.drop();
    await a!.settle();
    const report = await a!.user("u1").send("hello", "x");
    await a!.settle();
    expect([...report.delivered].sort()).toEqual(["one", "three", "two"]);
    expect(report.failed).toEqual([{ deviceId: "four", reason: "not_connected" }]);
    expect(peers.map(heard)).toEqual([["x"], ["x"], ["x"]]);
  });

  test("[IS4] waits for acknowledgements of other instances, including failures, for at most `timeoutMs`", async () => {
    const [all, a, b] = await startInstances(2);
    const [, two, three] = [await a!.enter("u1@one"), await b!.enter("u1@two"), await b!.enter("u1@three")];
    await b!.enter("u1@four");
    const report = a!.user("u1").send("hello", "x", { ack: true, timeoutMs: 2_000, exceptDevice: "one" });
    await all.settle();
    await acknowledge(two);
    await acknowledge(three, "handler_failed");
    await all.advance(2_000);
    expect(await report).toEqual({
      delivered: ["two"],
      failed: [
        { deviceId: "three", reason: "handler_failed" },
        { deviceId: "four", reason: "timeout" },
      ],
    });
  });

  test("[IS4] `onlyDevice` and `exceptDevice` select among the devices of all instances", async () => {
    const [all, a, b] = await startInstances(2);
    const peers = [await a!.enter("u1@one"), await b!.enter("u1@two")];
    const { user } = a!;
    expect(await user("u1").send("hello", "1", { onlyDevice: "two" })).toEqual({ delivered: ["two"], failed: [] });
    expect(await user("u1").send("hello", "2", { exceptDevice: "two" })).toEqual({ delivered: ["one"], failed: [] });
    expect((await user("u1").send("hello", "3", { onlyDevice: "tv" })).failed).toEqual([
      { deviceId: "tv", reason: "not_connected" },
    ]);
    await all.settle();
    expect(peers.map(heard)).toEqual([["2"], ["1"]]);
  });

  test("[IS5] if an instance does not answer in time, its devices are reported as failed with `timeout`", async () => {
    const [all, a, b] = await startInstances(2);
    await b!.enter("u1@two");
    all.broker.loses = (instance, topic) => instance === a!.id && topic.startsWith("$inbox");
    const report = a!.user("u1").send("hello", "x");
    await all.advance(1_000);
    expect(await report).toEqual({ delivered: [], failed: [{ deviceId: "two", reason: "timeout" }] });
  });

  test("[IS5] if an instance is killed before it answers, its devices are reported as disconnected, and later sends do not list these devices", async () => {
    const [all, a, b] = await startInstances(2);
    await b!.enter("u1@two");
    const report = a!.user("u1").send("hello", "x", { ack: true, timeoutMs: 30_000 });
    b!.kill();
    await all.advance(LEASE_MS);
    expect(await report).toEqual({ delivered: [], failed: [{ deviceId: "two", reason: "disconnected" }] });
    expect(await a!.user("u1").send("hello", "x")).toEqual({ delivered: [], failed: [] });
    expect(await a!.user("u1").devices()).toEqual([]);
    expect(await a!.user("u1").isConnected()).toBe(false);
    expect(all.broker.store.topics.get("$devices:u1")?.table.size).toBe(0);
    await all.end();
    expect(all.environment.timers).toBe(0);
  });

  test("[IS4] a session is found by its id on any instance", async () => {
    const [all, a, b] = await startInstances(3);
    const peer = await b!.enter("u1@two");
    expect(await a!.server.session(sessionOf(peer)).send("hello", "x")).toEqual({ delivered: ["two"], failed: [] });
    expect(a!.server.session(sessionOf(peer)).get()).toBeUndefined();
    expect(await a!.server.session("nobody").send("hello", "x")).toEqual({
      delivered: [],
      failed: [{ deviceId: "nobody", reason: "not_connected" }],
    });
    await all.settle();
    expect(heard(peer)).toEqual(["x"]);
  });
});

describe("the devices of a user", () => {
  test("[IS6] are listed across all instances with the time of their last message", async () => {
    const [all, a, b] = await startInstances(2);
    await a!.enter("u1@one");
    const two = await b!.enter("u1@two");
    await all.advance(5_000);
    await two.send({ type: "ping" });
    const devices = await a!.user("u1").devices();
    expect(devices.map(({ id }) => id)).toEqual(["one", "two"]);
    expect(devices[1]!.lastActiveAt.getTime()).toBe(all.environment.now());
    expect(devices[1]!.connectedAt.getTime()).toBe(all.environment.now() - 5_000);
    expect(await a!.user("u1").isConnected("two")).toBe(true);
    expect(await a!.user("u1").isConnected("tv")).toBe(false);
    two.socket.drop();
    await all.settle();
    expect(await a!.user("u1").isConnected("two")).toBe(false);
    expect((await a!.user("u1").devices()).map(({ id }) => id)).toEqual(["one"]);
    await all.advance(121_000);
    expect([...all.broker.store.topics.get("$devices:u1")!.table.keys()]).toEqual(["one"]);
  });

  test("[IS6] stay listed beyond the lifetime of the table and after the store has lost the table", async () => {
    const [all, a, b] = await startInstances(2);
    await b!.enter("u1@two");
    await all.stay(25 * 3_600_000);
    expect(await a!.user("u1").isConnected("two")).toBe(true);
    all.broker.forget();
    await all.settle();
    expect(await a!.user("u1").isConnected("two")).toBe(true);
  }, 30_000);

  test("[IS7] a server that closes removes its own devices from the store, and other instances close no connection", async () => {
    const [all, a, b] = await startInstances(2);
    await a!.enter("u1@one");
    const two = await b!.enter("u1@two");
    const closing = a!.server.close({ graceMs: 0 });
    await all.advance(3_000);
    await closing;
    all.living.delete(a!);
    expect([...all.broker.store.topics.get("$devices:u1")!.table.keys()]).toEqual(["two"]);
    expect(two.closed).toBeUndefined();
    expect((await b!.user("u1").devices()).map(({ id }) => id)).toEqual(["two"]);
  });
});

describe("while the broker cannot be reached", () => {
  test("[IS8] connections still open, and their devices are stored when the broker returns", async () => {
    const [all, a, b] = await startInstances(2);
    all.broker.isDown = true;
    const peer = await a!.enter("u1@one");
    expect(peer.last("connected").data.device_id).toBe("one");
    await all.advance(30_000);
    await peer.send({ type: "pong" });
    all.broker.comeBack();
    await all.advance(1_500);
    expect((await b!.user("u1").devices()).map(({ id }) => id)).toEqual(["one"]);
    await all.end();
    expect(all.environment.timers).toBe(0);
  });

  test("[IS8] if two connections claimed a device during the outage, the later connection stays", async () => {
    const [all, a, b] = await startInstances(2);
    all.broker.isDown = true;
    const old = await a!.enter("u1@phone");
    await all.advance(300);
    const young = await b!.enter("u1@phone");
    await all.advance(5_000);
    all.broker.comeBack();
    await all.advance(4_000);
    expect([old, young].map(({ closed }) => closed?.code)).toEqual([4409, undefined]);
    expect((await a!.user("u1").devices()).map(({ sessionId }) => sessionId)).toEqual([sessionOf(young)]);
  });

  test("[IS9] a send rejects with UNAVAILABLE and delivers nothing", async () => {
    const [all, a] = await startInstances(2);
    const peer = await a!.enter("u1@one");
    all.broker.isDown = true;
    await expect(a!.user("u1").send("hello", "x")).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(a!.user("u1").devices()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(await a!.user("u1").isConnected("one")).toBe(true);
    await all.settle();
    expect(heard(peer)).toEqual([]);
  });

  test("[IS10] `isReady` is false, and `close` ends although entries cannot be removed", async () => {
    const [all, a] = await startInstances(1);
    expect(a!.server.isReady).toBe(true);
    all.broker.isDown = true;
    expect(a!.server.isReady).toBe(false);
    all.broker.comeBack();
    expect(a!.server.isReady).toBe(true);
    await a!.enter("u1@one");
    all.broker.isDown = true;
    const closing = a!.server.close({ graceMs: 0 });
    expect(a!.server.isReady).toBe(false);
    // Entries that cannot be removed do not delay `close`.
    await all.advance(3_500);
    await closing;
    expect(all.environment.timers).toBe(0);
  });

  test("[IS8] a server that starts during the outage follows all topics when the broker returns", async () => {
    const [all, a] = await startInstances(1);
    all.broker.isDown = true;
    const b = all.start();
    const peer = await b.enter("u1@one");
    await all.advance(5_000);
    all.broker.comeBack();
    await all.advance(2_000);
    expect(await a!.user("u1").send("hello", "x")).toEqual({ delivered: ["one"], failed: [] });
    expect(await a!.user("u1").disconnect()).toBe(1);
    await all.settle();
    expect(peer.closed?.code).toBe(4403);
  });
});
