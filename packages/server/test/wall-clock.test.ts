import type { Identity } from "@holdfast/server";
import { describe, expect, test } from "vitest";
import { memoryBroker } from "../src/broker/memory-broker.js";
import { drain } from "../src/session/drain.js";
import { silentLogger } from "../src/observe/logger.js";
import { basicServer } from "./support/basic-server.js";
import { auth, identityServer, sessionOf, stayConnected, subscribe } from "./support/identity-server.js";
import type { Peer, ServerHarness } from "./support/server-harness.js";
import { VirtualEnvironment } from "./support/virtual-environment.js";
import { inRoom, startInstances } from "./support/server-instances.js";

const HOUR_MS = 3_600_000;
const HEARTBEAT = { intervalMs: 30_000, timeoutMs: 10_000 };

/** `byMs(second)` is the change of the wall clock before each second of elapsed time. */
const ways: [name: string, byMs: (second: number) => number][] = [
  ["back once", (second) => (second === 0 ? -HOUR_MS : 0)],
  ["forward once", (second) => (second === 0 ? HOUR_MS : 0)],
  ["back and forth repeatedly", (second) => (second % 2 === 0 ? -HOUR_MS : HOUR_MS)],
  ["forward repeatedly", () => HOUR_MS],
];

/** Advances time while the wall clock changes. */
function passing(
  environment: VirtualEnvironment,
  harness: Pick<ServerHarness, "advance">,
  byMs: (second: number) => number,
) {
  let second = 0;
  return async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 1_000) {
      environment.setWallClock(byMs(second++));
      await harness.advance(Math.min(left, 1_000));
    }
  };
}

describe.each(ways)("while the wall clock is set %s", (_, byMs) => {
  test("[WC5] a quiet connection receives its ping in time, stays open if it answers, and is closed if it does not", async () => {
    const { harness, environment, connect } = identityServer({ heartbeat: HEARTBEAT });
    const [live, dead] = [await connect("u1"), await connect("u2")];
    const pass = passing(environment, harness, byMs);
    await pass(31_000);
    expect([live.of("ping"), dead.of("ping")].map(({ length }) => length)).toEqual([1, 1]);
    await live.send({ type: "pong" });
    await pass(6_000);
    expect(dead.closed).toBeUndefined();
    await pass(4_000);
    expect(dead.closed?.code).toBe(4408);
    expect(live.closed).toBeUndefined();
    await pass(20_000);
    expect(live.of("ping")).toHaveLength(2);
  });

  test("[WC6] a connection that does not authenticate is closed after 5 s", async () => {
    const { harness, environment } = identityServer();
    const peer = await harness.connect();
    const pass = passing(environment, harness, byMs);
    await pass(4_900);
    expect(peer.closed).toBeUndefined();
    await pass(200);
    expect(peer.closed?.code).toBe(4401);
  });

  test("[WC6] a session can be resumed for exactly two minutes", async () => {
    const { server, harness, environment, connect } = identityServer();
    const pass = passing(environment, harness, byMs);
    const first = await connect("u1");
    first.socket.drop();
    await pass(119_000);
    const back = await connect("u1", { session_id: sessionOf(first) });
    expect(back.last("connected").data.resumed).toBe(true);
    back.socket.drop();
    await pass(121_000);
    expect(server.stats().sessions).toEqual({ active: 0, away: 0 });
    expect(environment.timers).toBe(0);
  });

  test("[WC6] a ticket is valid for exactly 30 s, with and without a broker", async () => {
    for (const broker of [undefined, memoryBroker()]) {
      const { server, harness, environment } = identityServer({
        credentials: { ticket: true },
        ...(broker && { broker }),
      });
      await harness.settle();
      const pass = passing(environment, harness, byMs);
      const [early, late] = [await server.issueTicket({ userId: "u1" }), await server.issueTicket({ userId: "u1" })];
      await pass(29_000);
      expect((await harness.connect({ url: `/ws?ticket=${early}` })).closed).toBeUndefined();
      await pass(2_000);
      expect(await harness.refused({ url: `/ws?ticket=${late}` })).toBe(401);
      await Promise.all([server.close({ graceMs: 10 }), harness.advance(10_000)]);
    }
  });

  test("[WC6] three invalid messages close a connection only if they arrive within a minute", async () => {
    const { harness, environment, connect } = identityServer();
    const pass = passing(environment, harness, byMs);
    const [fast, slow] = [await connect("u1"), await connect("u2")];
    for (let count = 1; count <= 3; count++) {
      expect([fast.closed, slow.closed]).toEqual([undefined, undefined]);
      await fast.send("{");
      if (count < 3) await slow.send("{");
      await pass(25_000);
      await slow.send({ type: "pong" });
    }
    expect(fast.closed?.code).toBe(4400);
    await slow.send("{");
    expect(slow.closed).toBeUndefined();
  });

  test("[WC8] a user who has left a channel stays on the channel's presence list for 5 s", async () => {
    const { server, harness, environment, connect } = identityServer();
    const pass = passing(environment, harness, byMs);
    (await connect("ada", {}, ...inRoom("Ada"))).socket.drop();
    const present = () => server.channel("room", "a").presence.list();
    await pass(4_800);
    expect(await present()).toHaveLength(1);
    await pass(1_000);
    expect(await present()).toEqual([]);
  });

  test("[WC8] `replace_oldest` replaces the device that has been silent longest", async () => {
    const { harness, environment, connect } = identityServer({ devices: { perUser: 2, whenFull: "replace_oldest" } });
    const pass = passing(environment, harness, byMs);
    const [a, b] = [await connect("u1@a"), await connect("u1@b")];
    await pass(5_000);
    await a.send({ type: "pong" });
    await pass(1_000);
    await connect("u1@c");
    expect([a.closed?.code, b.closed?.code]).toEqual([undefined, 4409]);
  });

  test("[WC8] the users of a killed instance leave the list after its lease and then the grace period have expired", async () => {
    const [all, a, b] = await startInstances(2);
    await a!.enter("ada@desk", {}, ...inRoom("Ada"));
    const watcher = await b!.enter("bob", {}, ...inRoom("Bob"));
    a!.kill();
    const pass = passing(all.environment, all, byMs);
    const present = async (): Promise<number> => (await b!.server.channel("room", "a").presence.list()).length;
    await pass(14_000);
    await watcher.send({ type: "pong" });
    expect(await present()).toBe(2);
    await pass(2_000);
    expect(await present()).toBe(1);
    await all.end();
  });

  test("[WC9] close waits for running requests for graceMs and no longer", async () => {
    const { server, harness, environment, connect } = identityServer();
    server.handle("wait", () => new Promise(() => {}));
    const peer = await connect("u1");
    await peer.send({ type: "request", correlation_id: "r", data: { name: "wait" } });
    const pass = passing(environment, harness, byMs);
    const closing = server.close({ graceMs: 5_000 });
    await pass(4_900);
    expect(peer.closed).toBeUndefined();
    await pass(200);
    expect(peer.closed?.code).toBe(1001);
    await pass(15_000);
    await closing;
    expect(environment.timers).toBe(0);
  });

  test("[WC9] close ends within 4 s even if a socket never closes", async () => {
    const environment = new VirtualEnvironment();
    const stuck = { requestsRunning: 0, close() {}, terminate() {} };
    let isOver = false;
    void drain(new Set([stuck as never]), environment, 5_000).then(() => (isOver = true));
    for (let second = 0; second < 4; second++) {
      expect(isOver).toBe(false);
      environment.setWallClock(byMs(second));
      for (let step = 0; step < 60; step++) {
        environment.pass(20);
        for (let tick = 0; tick < 5; tick++) await Promise.resolve();
      }
    }
    expect(isOver).toBe(true);
  });

  test("[WC10] the memory broker keeps a log for ttlMs and an idempotency key for ten minutes", async () => {
    const environment = new VirtualEnvironment();
    const told = { receive() {}, onDoubt() {}, onGone() {}, onForgotten() {} };
    const link = memoryBroker().join({ id: "i", protocol: "p", environment, logger: silentLogger, ...told });
    const pass = passing(environment, { advance: async (ms) => environment.pass(ms) }, byMs);
    const options = { log: { size: 5, ttlMs: 60_000 }, key: "k" };
    const log = async (): Promise<number> =>
      (await link.read("t", { log: { after: 0, most: 5 }, ttlMs: 60_000 })).events.length;
    await link.publish("t", "1", "x", options);
    await pass(59_000);
    expect(await log()).toBe(1);
    await pass(2_000);
    expect(await log()).toBe(0);
    await pass(530_000);
    expect((await link.publish("t", "2", "x", options)).outcome).toBe("duplicate");
    await pass(20_000);
    const { outcome, position } = await link.publish("t", "3", "x", options);
    // Offset 2 shows that the topic itself has not expired.
    expect([outcome, position?.offset]).toEqual(["appended", 2]);
    await link.close();
  });

  test("[WC10] a client that reconnects within the ttlMs of the history misses nothing", async () => {
    const { server, harness, environment } = basicServer();
    const pass = passing(environment, harness, byMs);
    const first = await harness.connect();
    await first.send({ type: "subscribe", data: { channels: ["log"] } });
    const [joined] = first.last("subscribe_response").data.results ?? [];
    const position = joined?.ok ? joined.position : undefined;
    first.socket.drop();
    await server.channel("log").publish("line", "missed");
    await pass(58_000);
    const back = await harness.connect();
    await back.send({ type: "subscribe", data: { channels: [{ channel: "log", position }] } });
    expect(back.last("subscribe_response").data.results).toMatchObject([{ ok: true, missed: [{ data: "missed" }] }]);
  });

  test("[WC11] an order of an instance with a wrong wall clock is carried out on all instances", async () => {
    const [all, a, b] = await startInstances(2);
    const pass = passing({ setWallClock: a!.setWallClock } as VirtualEnvironment, all, byMs);
    await pass(3_000);
    const peer = await b!.enter("u1@one");
    expect(await a!.user("u1").disconnect({ code: 4403, reason: "banned" })).toBe(1);
    await all.settle();
    expect(peer.closed?.code).toBe(4403);
    const next = await b!.enter("u1@one");
    // The same holds if its announcement is lost and the order is found by reading.
    all.broker.loses = () => true;
    const ended = a!.user("u1").disconnect({ code: 4403, reason: "banned" });
    await pass(2_000);
    await ended;
    all.broker.loses = () => false;
    await pass(21_000);
    expect(next.closed?.code).toBe(4403);
    await all.end();
  });
});

describe("a credential with an expiry", () => {
  const setUp = async (livesMs: number): Promise<ReturnType<typeof identityServer> & { peer: Peer }> => {
    const all: ReturnType<typeof identityServer> = identityServer({
      authenticate: ({ token }): Identity => ({ userId: token, expiresAt: all.environment.now() + livesMs }),
    });
    return { ...all, peer: await all.connect("u1", {}, subscribe("news")) };
  };

  test("[WC7] if the wall clock passes the expiry, the server sends auth_expiring at once, and the client has 25 s to send a newer credential", async () => {
    const { harness, environment, peer } = await setUp(HOUR_MS / 2);
    environment.setWallClock(HOUR_MS);
    await harness.advance(1_000);
    expect(peer.of("auth_expiring")).toHaveLength(1);
    await stayConnected(harness, 23_000, peer);
    expect(peer.closed).toBeUndefined();
    expect(peer.of("auth_expiring")).toHaveLength(3);
    await peer.send(auth("u1"));
    await stayConnected(harness, 60_000, peer);
    expect(peer.closed).toBeUndefined();
    expect(peer.of("auth_expiring")).toHaveLength(3);
  });

  test("[WC7] without a newer credential the connection is closed 25 s after the expiry was noticed", async () => {
    const { harness, environment, peer } = await setUp(HOUR_MS / 2);
    environment.setWallClock(HOUR_MS);
    await harness.advance(24_000);
    expect(peer.closed).toBeUndefined();
    await harness.advance(3_000);
    expect(peer.closed?.code).toBe(4401);
  });

  test("[WC7] if the wall clock is set back before the expiry, the credential is valid again and auth_expiring stops", async () => {
    const { harness, environment, peer } = await setUp(HOUR_MS / 2);
    environment.setWallClock(HOUR_MS);
    await harness.advance(12_000);
    expect(peer.of("auth_expiring")).toHaveLength(2);
    environment.setWallClock(-HOUR_MS);
    await stayConnected(harness, 120_000, peer);
    expect(peer.closed).toBeUndefined();
    expect(peer.of("auth_expiring")).toHaveLength(2);
  });

  test("[WC7] an expiry in the far future adds no timer and sends no auth_expiring", async () => {
    const { harness, environment, peer } = await setUp(1e15);
    for (const by of [-HOUR_MS, HOUR_MS, 40 * 24 * HOUR_MS]) {
      environment.setWallClock(by);
      await stayConnected(harness, 20_000, peer);
    }
    expect(peer.of("auth_expiring")).toEqual([]);
    expect(environment.timers).toBe(1);
  });
});

test("[WC8] dates that the application reads follow the wall clock", async () => {
  const { server, harness, environment, connect } = identityServer();
  const peer = await connect("u1@a");
  environment.setWallClock(-HOUR_MS);
  await harness.advance(5_000);
  await peer.send({ type: "pong" });
  environment.setWallClock(2 * HOUR_MS);
  const [device] = await server.user("u1").devices();
  expect(environment.now() - device!.lastActiveAt.getTime()).toBe(0);
  await harness.advance(3_000);
  expect(environment.now() - server.sessions()[0]!.lastActiveAt.getTime()).toBe(3_000);
});

test("[WC8] devices of an instance with a wrong wall clock are compared by how long they have been silent", async () => {
  const [all, a, b] = await startInstances(2, { devices: { perUser: 2, whenFull: "replace_oldest" } });
  b!.setWallClock(HOUR_MS);
  const [silent, talks] = [await b!.enter("u1@silent"), await a!.enter("u1@talks")];
  await all.advance(5_000);
  await talks.send({ type: "pong" });
  const devices = await a!.user("u1").devices();
  const ages = devices.map(({ lastActiveAt }) => all.environment.now() - lastActiveAt.getTime());
  expect(ages.sort((one, other) => one - other)).toEqual([0, 5_000]);
  await a!.enter("u1@new");
  expect([silent.closed?.code, talks.closed?.code]).toEqual([4409, undefined]);
  await all.end();
});
