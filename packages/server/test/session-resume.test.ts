import type { Identity } from "@holdfast/server";
import { describe, expect, test } from "vitest";
import { basicServer } from "./support/basic-server.js";
import { auth, identityServer, sessionOf, subscribe } from "./support/identity-server.js";

describe("a client that reconnects", () => {
  test("[SN1] resumes its session as the same user, with id, data, metadata and start time", async () => {
    const { server, harness, environment, connect } = identityServer({ sessionData: () => ({ seen: [] as string[] }) });
    const start = environment.now();
    const peer = await harness.connect();
    await peer.send(auth("u1", {}, { app: "test 1.2" }), subscribe("news"));
    const id = sessionOf(peer);
    expect(peer.last("connected").data).not.toHaveProperty("resumed");
    server.session(id).get()!.data.seen.push("first");
    peer.socket.drop();
    await harness.advance(119_000);
    const again = await connect("u1", { session_id: id }, { type: "list_subscriptions" });
    expect(again.last("connected").data).toMatchObject({ session_id: id, device_id: id, resumed: true });
    const session = server.session(id).get()!;
    expect(session.data).toEqual({ seen: ["first"] });
    expect(session.metadata).toEqual({ app: "test 1.2" });
    expect(session.connectedAt.getTime()).toBe(start);
    expect(session.isConnected).toBe(true);
    // The channels are not resumed: the client must subscribe again.
    expect(again.last("subscriptions").data.channels).toEqual([]);
    expect(server.stats().sessions).toEqual({ active: 1, away: 0 });
  });

  test("[SN2] receives a new session after more than two minutes, and the old session is removed", async () => {
    const { server, harness, environment, connect } = identityServer();
    const peer = await connect("u1");
    peer.socket.drop();
    expect(server.stats().sessions).toEqual({ active: 0, away: 1 });
    expect(server.stats().users.active).toBe(1);
    await harness.advance(120_001);
    expect(server.stats().sessions).toEqual({ active: 0, away: 0 });
    expect(server.stats().users.active).toBe(0);
    expect(environment.timers).toBe(0);
    const again = await connect("u1", { session_id: sessionOf(peer) });
    expect(again.last("connected").data).not.toHaveProperty("resumed");
    expect(sessionOf(again)).not.toBe(sessionOf(peer));
  });

  test("[SN2] receives a new session as another user or on another device, and the old session is unchanged", async () => {
    const { server, connect } = identityServer();
    const victim = await connect("u1", { device_id: "phone" });
    const session_id = sessionOf(victim);
    const thief = await connect("u2", { session_id });
    const other = await connect("u1", { session_id, device_id: "tablet" });
    for (const peer of [thief, other]) expect(sessionOf(peer)).not.toBe(session_id);
    expect(victim.closed).toBeUndefined();
    expect(server.session(session_id).get()?.deviceId).toBe("phone");
  });

  test("[SN3] takes over the session while the old socket is half-open, and the old socket is closed with 4409", async () => {
    const { server, harness, connect } = identityServer({ sessionData: () => ({ count: 1 }) });
    const events: string[] = [];
    server.onSession(({ type }) => void events.push(type));
    const old = await connect("u1", {}, subscribe("news"));
    old.socket.stall(true);
    const id = sessionOf(old);
    server.session(id).get()!.data.count = 7;
    const peer = await connect("u1", { session_id: id }, subscribe("news"));
    expect(peer.last("connected").data).toMatchObject({ session_id: id, resumed: true });
    expect(server.session(id).get()!.data.count).toBe(7);
    expect(server.channel("news").subscribers).toBe(1);
    await server.user("u1").send("hello", "only once");
    await harness.settle();
    expect(peer.of("event")).toHaveLength(1);
    old.socket.stall(false);
    await harness.settle();
    expect(old.closed?.code).toBe(4409);
    expect(old.of("event")).toEqual([]);
    expect(events).toEqual(["opened", "resumed"]);
    expect(server.session(id).get()?.isConnected).toBe(true);
  });

  test("[SN4] without a user, a client receives a new session despite its session id", async () => {
    const { server, harness } = basicServer();
    const peer = await harness.connect();
    const { session_id } = peer.last("connected").data;
    peer.socket.drop();
    expect(server.session(session_id).get()).toBeUndefined();
    const again = await harness.connect({
      headers: { "sec-websocket-protocol": "holdfast.v1.json, holdfast.v1.auth" },
    });
    await again.send({ type: "auth", data: { session_id } });
    expect(again.last("connected").data).not.toMatchObject({ session_id });
    expect(server.stats().sessions).toEqual({ active: 1, away: 0 });
  });

  test("[SN1] `sessionResumeMs: 0` removes the session when the connection drops", async () => {
    const { server, connect, environment } = identityServer({ sessionResumeMs: 0 });
    const peer = await connect("u1");
    peer.socket.drop();
    expect(server.stats().sessions).toEqual({ active: 0, away: 0 });
    expect(environment.timers).toBe(0);
  });

  test("[SN13] a refresh that was pending when the connection dropped does not change the session", async () => {
    const answers: ((identity: Identity) => void)[] = [];
    const { server, harness } = identityServer({
      authenticate: ({ token }) =>
        token === "slow" ? new Promise<Identity>((resolve) => answers.push(resolve)) : { userId: "u1", claims: token },
    });
    const peer = await harness.connect();
    await peer.send(auth("first"));
    await peer.send(auth("slow"));
    peer.socket.drop();
    const again = await harness.connect();
    await again.send(auth("second", { session_id: sessionOf(peer) }));
    expect(again.last("connected").data.resumed).toBe(true);
    answers[0]!({ userId: "u1", claims: "late" });
    await harness.settle();
    expect(server.session(sessionOf(again)).get()?.identity).toMatchObject({ claims: "second" });
  });
});
