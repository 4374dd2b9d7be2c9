import type { Identity, SessionEvent } from "@holdfast/server";
import { describe, expect, test } from "vitest";
import { basicServer } from "./support/basic-server.js";
import { auth, identityServer, sessionOf, subscribe } from "./support/identity-server.js";
import { ForeignPromise } from "./support/foreign-promise.js";

describe("a client that comes back", () => {
  test("[SN1] as the same user continues its session: id, data, metadata and beginning", async () => {
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
    // Nothing is granted for the id: channels are asked for again.
    expect(again.last("subscriptions").data.channels).toEqual([]);
    expect(server.stats().sessions).toEqual({ active: 1, away: 0 });
  });

  test("[SN2] after more than two minutes begins a new one, and nothing stays of the old", async () => {
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

  test("[SN2] as another user, or on another device, begins a new one and harms the old one in nothing", async () => {
    const { server, connect } = identityServer();
    const victim = await connect("u1", { device_id: "phone" });
    const session_id = sessionOf(victim);
    const thief = await connect("u2", { session_id });
    const other = await connect("u1", { session_id, device_id: "tablet" });
    for (const peer of [thief, other]) expect(sessionOf(peer)).not.toBe(session_id);
    expect(victim.closed).toBeUndefined();
    expect(server.session(session_id).get()?.deviceId).toBe("phone");
  });

  test("[SN3] before its old socket is known to be dead takes it over, and the old one is closed", async () => {
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

  test("[SN4] without having shown who it is begins a new one: an id alone continues nothing", async () => {
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

  test("[SN1] may be told to begin anew each time", async () => {
    const { server, connect, environment } = identityServer({ sessionResumeMs: 0 });
    const peer = await connect("u1");
    peer.socket.drop();
    expect(server.stats().sessions).toEqual({ active: 0, away: 0 });
    expect(environment.timers).toBe(0);
  });

  test("[SN13] a refresh that was under way when the connection dropped changes nothing of the session", async () => {
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

describe("what ends a session", () => {
  test("[SN5] disconnect: its id continues nothing any more", async () => {
    const { server, harness, connect } = identityServer();
    const peer = await connect("u1");
    const session_id = sessionOf(peer);
    expect(await server.session(session_id).disconnect()).toBe(true);
    await harness.settle();
    expect(peer.closed?.code).toBe(4403);
    expect(await server.session(session_id).disconnect()).toBe(false);
    const again = await connect("u1", { session_id });
    expect(sessionOf(again)).not.toBe(session_id);
  });

  test("[SN5] revoke: 4401, so that the client has to show a new credential", async () => {
    const { server, harness, connect } = identityServer();
    const peer = await connect("u1");
    const id = sessionOf(peer);
    await server.session(id).revoke();
    await harness.settle();
    expect(peer.closed?.code).toBe(4401);
    expect(server.session(id).get()).toBeUndefined();
    expect((await connect("u1", { session_id: id })).last("connected").data).not.toHaveProperty("resumed");
  });

  test("[SN5] revoke, while it waits to be resumed and while its subscription is being decided", async () => {
    let decide: ((allowed: boolean) => void) | undefined;
    const { server, harness, connect } = identityServer({
      authorize: () => new Promise<boolean>((resolve) => (decide = resolve)),
    });
    const waiting = await connect("u1");
    waiting.socket.drop();
    expect(await server.session(sessionOf(waiting)).revoke()).toBe(true);
    expect(server.stats().sessions).toEqual({ active: 0, away: 0 });
    const deciding = await connect("u1", {}, subscribe("room:a"));
    await server.session(sessionOf(deciding)).revoke();
    decide!(true);
    await harness.settle();
    expect(deciding.closed?.code).toBe(4401);
    expect(server.channel("room", "a").subscribers).toBe(0);
    expect(deciding.of("subscribe_response")).toEqual([]);
  });

  test("[SN12] user.disconnect: all of a user's sessions, those that wait included, and nobody else's", async () => {
    const { server, harness, connect } = identityServer();
    const [phone, tablet, other] = [await connect("u1"), await connect("u1"), await connect("u2")];
    const gone = await connect("u1");
    gone.socket.drop();
    expect(await server.user("u1").disconnect()).toBe(3);
    await harness.settle();
    for (const peer of [phone, tablet]) expect(peer.closed?.code).toBe(4403);
    expect(other.closed).toBeUndefined();
    expect(server.stats().sessions).toEqual({ active: 1, away: 0 });
    expect(await server.user("u1").disconnect()).toBe(0);
    const back = await connect("u1", { session_id: sessionOf(gone) });
    expect(back.last("connected").data).not.toHaveProperty("resumed");
    await expect(server.user("u1").disconnect({ code: 1006 })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      field: "code",
    });
  });

  test("[SN14] disconnecting a user: a connection whose credential was being judged meanwhile is meant as well", async () => {
    const judging: (() => void)[] = [];
    const { server, harness } = identityServer({
      authenticate: ({ token }) => new Promise<Identity>((resolve) => judging.push(() => resolve({ userId: token }))),
    });
    const [banned, other] = [await harness.connect(), await harness.connect()];
    await banned.send(auth("u1"));
    await other.send(auth("u2"));
    expect(await server.user("u1").disconnect()).toBe(0);
    judging.forEach((judge) => judge());
    await harness.settle();
    expect(banned.last("auth_response").data.success).toBe(false);
    expect(banned.closed?.code).toBe(4403);
    expect(other.closed).toBeUndefined();
    // Who begins after it is judged by authenticate alone.
    const later = await harness.connect();
    await later.send(auth("u1"));
    judging.at(-1)!();
    await harness.settle();
    expect(later.last("connected").data.user_id).toBe("u1");
  });

  test("[SN14] so is one whose upgrade request was being judged", async () => {
    let judge: (() => void) | undefined;
    const { server, harness, environment } = identityServer({
      authenticate: () => new Promise<Identity>((resolve) => (judge = () => resolve({ userId: "u1" }))),
    });
    const connecting = harness.connect({ headers: { authorization: "Bearer u1" } });
    await harness.settle();
    await server.user("u1").disconnect({ code: 4900, reason: "banned" });
    judge!();
    const peer = await connecting;
    expect(peer.closed).toEqual({ code: 4900, reason: "banned" });
    expect(peer.of("connected")).toEqual([]);
    await harness.advance(45_000);
    expect(environment.timers).toBe(0);
  });

  test("[SN16] user.disconnect with a condition ends only those that meet it: the sessions of one login", async () => {
    const judging: ((identity: Identity) => void)[] = [];
    const { server, harness } = identityServer({
      authenticate: () => new Promise<Identity>((resolve) => judging.push(resolve)),
    });
    const login = async (claims: string, judged = true) => {
      const peer = await harness.connect();
      await peer.send(auth("t"));
      const judge = () => judging.pop()!({ userId: "u1", claims });
      if (judged) judge();
      await harness.settle();
      return { peer, judge };
    };
    const [home, work] = [await login("home"), await login("work")];
    const pending = await login("home", false);
    expect(
      await server
        .user("u1")
        .disconnect({ code: 4403, reason: "logged out", where: ({ identity }) => identity.claims === "home" }),
    ).toBe(1);
    pending.judge();
    await harness.settle();
    expect(home.peer.closed).toEqual({ code: 4403, reason: "logged out" });
    expect(pending.peer.closed).toEqual({ code: 4403, reason: "logged out" });
    expect(work.peer.closed).toBeUndefined();
    const bad = () => {
      throw new Error("a bad condition");
    };
    await expect(server.user("u1").disconnect({ where: bad })).rejects.toThrow("a bad condition");
    await harness.settle();
    expect(work.peer.closed).toBeUndefined();
    // Where it fails only for one that is being judged, that one is ended: the other mistake could
    // not be made good.
    let fails = false;
    const late = await login("home", false);
    await server.user("u1").disconnect({ where: () => fails && bad() });
    fails = true;
    late.judge();
    await harness.settle();
    expect(late.peer.closed?.code).toBe(4403);
  });

  test("[SN14] revoking a session: a connection that would continue it, and no other", async () => {
    const judging: (() => void)[] = [];
    let slow = false;
    const { server, harness, connect } = identityServer({
      authenticate: () =>
        slow ? new Promise<Identity>((resolve) => judging.push(() => resolve({ userId: "u1" }))) : { userId: "u1" },
    });
    const session_id = sessionOf(await connect("u1"));
    slow = true;
    const [continues, begins] = [await connect("u1", { session_id }), await connect("u1")];
    await server.session(session_id).revoke();
    judging.forEach((judge) => judge());
    await harness.settle();
    expect(continues.closed?.code).toBe(4401);
    expect(begins.closed).toBeUndefined();
  });

  test("[SN11] closing the server: no session and no timer is left, whatever was waiting", async () => {
    const { server, harness, environment, connect } = identityServer({
      credentials: { ticket: true },
      authorize: ({ key }) => (key === "slow" ? new Promise<boolean>(() => {}) : true),
    });
    const room = { type: "set_presence", channel: "room:a", data: { name: "Ada" } };
    await connect("u1", {}, subscribe("room:a"), room, subscribe("room:slow"));
    (await connect("u2", {}, subscribe("room:a"), room)).socket.drop();
    await server.issueTicket({ userId: "u3" });
    void server.user("u1").send("hello", "?", { ack: true });
    await server.user("u4").disconnect();
    expect(environment.timers).toBeGreaterThan(3);
    const closed = server.close();
    await harness.advance(60);
    await closed;
    expect(server.stats().sessions).toEqual({ active: 0, away: 0 });
    expect(environment.timers).toBe(0);
    // And none begins.
    await server.user("u1").disconnect();
    await expect(server.issueTicket({ userId: "u1" })).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(environment.timers).toBe(0);
  });
});

describe("what the application keeps and knows of a session", () => {
  test("[SN6] sessionData is made once, from who it is; when it fails, the connection is refused", async () => {
    const made: unknown[] = [];
    const { server, harness, connect } = identityServer({
      sessionData: ({ identity }) => {
        if (identity.userId === "u9") throw new Error("no room for u9");
        made.push(identity.userId);
        return { cart: [] as string[] };
      },
    });
    const peer = await connect("u1");
    peer.socket.drop();
    await connect("u1", { session_id: sessionOf(peer) });
    expect(made).toEqual(["u1"]);
    const refused = await connect("u9");
    expect(refused.last("auth_response").data).toMatchObject({ success: false, error: { code: "INTERNAL" } });
    expect(refused.closed?.code).toBe(1011);
    expect(JSON.stringify(refused.received)).not.toContain("no room");
    expect(server.stats().sessions).toEqual({ active: 1, away: 0 });
    await harness.settle();
  });

  test("[SN7] what the client says of itself is kept, up to 4 KiB; more is refused", async () => {
    const { server, harness } = identityServer();
    const peer = await harness.connect();
    await peer.send(auth("u1", {}, { client_version: "1.2.0" }));
    expect(server.sessions()[0]?.metadata).toEqual({ client_version: "1.2.0" });
    const wordy = await harness.connect();
    await wordy.send(auth("u1", {}, { note: "x".repeat(4_096) }));
    expect(wordy.last("auth_response").data).toMatchObject({
      success: false,
      error: { code: "LIMIT_EXCEEDED", field: "metadata" },
    });
    expect(wordy.closed?.code).toBe(4400);
  });

  test("[SN8] sessions are found by id, by user and by device, and counted", async () => {
    const { server, connect } = identityServer();
    const [a, b, c] = [await connect("u1@phone"), await connect("u1@tablet"), await connect("u2")];
    const ids = (sessions: { id: string }[]) => sessions.map(({ id }) => id);
    expect(ids(server.sessions())).toEqual([a, b, c].map(sessionOf));
    expect(ids(server.user("u1").sessions())).toEqual([a, b].map(sessionOf));
    expect(server.session(sessionOf(c)).get()?.userId).toBe("u2");
    expect(server.session("nobody").get()).toBeUndefined();
    expect(await server.user("u1").isConnected("tablet")).toBe(true);
    expect(await server.user("u2").isConnected("tablet")).toBe(false);
    expect(server.stats()).toMatchObject({ sessions: { active: 3, away: 0 }, users: { active: 2 } });
  });

  test("[SN9] the life of a session is told in order; a listener that throws harms nobody", async () => {
    const { server, harness, connect } = identityServer();
    const events: string[] = [];
    server.onSession(() => {
      throw new Error("a bad listener");
    });
    const note = (event: SessionEvent<Identity>) =>
      events.push(
        [
          event.type,
          event.session.userId,
          event.session.isConnected,
          ...(event.type === "ended" ? [event.reason] : []),
        ].join(" "),
      );
    const stop = server.onSession(note);
    const peer = await connect("u1");
    peer.socket.drop();
    const again = await connect("u1", { session_id: sessionOf(peer) });
    again.socket.drop();
    await harness.advance(121_000);
    expect(events).toEqual([
      "opened u1 true",
      "dropped u1 false",
      "resumed u1 true",
      "dropped u1 false",
      "ended u1 false expired",
    ]);
    stop();
    await connect("u1");
    expect(events).toHaveLength(5);
  });

  test("[SN9] why one ended is told: nobody came back, a newer connection replaced it, or the server ended it", async () => {
    const { server, harness, connect } = identityServer();
    const ends: string[] = [];
    server.onSession((event) => {
      if (event.type === "ended") ends.push(`${event.session.deviceId} ${event.reason}`);
    });
    await connect("u1@phone");
    await connect("u1@phone");
    const tablet = await connect("u1@tablet");
    await server.session(sessionOf(tablet)).disconnect();
    (await connect("u1@tv")).socket.drop();
    await harness.advance(39_000); // the phone says nothing: its connection is given up
    await harness.advance(125_000);
    expect(ends).toEqual(["phone replaced", "tablet disconnected", "tv expired", "phone expired"]);
  });

  test("[SN9] a listener that is asynchronous and rejects is logged, and harms nobody", async () => {
    const errors: object[] = [];
    const ignore = () => {};
    const { server, harness, connect } = identityServer({
      logger: { debug: ignore, info: ignore, warn: ignore, error: (fields: object) => void errors.push(fields) },
    });
    server.onSession(() => ForeignPromise.reject(new Error("no database")));
    const peer = await connect("u1");
    await harness.settle();
    expect(peer.last("connected").data.user_id).toBe("u1");
    expect(errors).toHaveLength(1);
  });

  test("[SN9] one that ends the session it is told of changes the order for no other", async () => {
    const { server, harness, connect } = identityServer();
    const heard: string[] = [];
    server.onSession(({ type, session }) => type === "opened" && session.disconnect());
    server.onSession(({ type }) => heard.push(type));
    const peer = await connect("u1");
    await harness.settle();
    expect(heard).toEqual(["opened", "ended"]);
    expect(peer.closed?.code).toBe(4403);
    expect((await server.broadcast("hello", "anyone?")).delivered).toBe(0);
  });

  test("[SN3] what the old connection's end sets off finds the new one open", async () => {
    const { server, harness, connect } = identityServer();
    const reports: unknown[] = [];
    server.handle("wait", ({ session, signal }) => {
      signal.addEventListener("abort", () => session.disconnect({ code: 4900, reason: "aborted" }));
      signal.addEventListener("abort", () => reports.push(server.user("u1").send("hello", "too late")));
      return new Promise<undefined>(() => {});
    });
    const old = await connect("u1", {}, { type: "request", correlation_id: "1", data: { name: "wait" } });
    old.socket.stall(true);
    const peer = await connect("u1", { session_id: sessionOf(old) });
    await harness.settle();
    expect(peer.of("connected")).toHaveLength(1);
    expect(peer.closed).toEqual({ code: 4900, reason: "aborted" });
    expect(await Promise.all(reports)).toEqual([{ delivered: [], failed: [] }]);
    expect((await server.broadcast("hello", "anyone?")).delivered).toBe(0);
    expect(server.stats().sessions).toEqual({ active: 0, away: 0 });
  });

  test("[SN14] a ban from inside sessionData, or from a listener, reaches the connection that is coming in", async () => {
    let ban: "data" | "listener" | undefined = "data";
    const { server, harness, connect } = identityServer({
      sessionData: () => {
        if (ban === "data") void server.user("u1").disconnect({ code: 4900, reason: "banned" });
        return 1;
      },
    });
    server.onSession(({ type }) => {
      if (type === "ended" && ban === "listener") void server.user("u1").disconnect({ code: 4900, reason: "banned" });
    });
    expect((await connect("u1@phone")).closed).toEqual({ code: 4900, reason: "banned" });
    ban = undefined;
    await connect("u1@phone");
    ban = "listener"; // told that the older one was replaced
    const peer = await connect("u1@phone");
    await harness.settle();
    expect(peer.closed).toEqual({ code: 4900, reason: "banned" });
    expect(server.stats().sessions).toEqual({ active: 0, away: 0 });
  });

  test("[SN6] sessionData is not asked for a connection that there is no room for, and must not be asynchronous", async () => {
    let made = 0;
    const { connect } = identityServer({ devices: { perUser: 1 }, sessionData: () => ++made });
    await connect("u1@a");
    expect((await connect("u1@b")).closed?.code).toBe(4429);
    expect(made).toBe(1);
    const async = identityServer({ sessionData: () => ForeignPromise.reject(new Error("no database")) });
    expect((await async.connect("u1")).closed?.code).toBe(1011);
    await async.harness.settle();
  });

  test("[SN14] a connection that drops while its credential is judged leaves nothing", async () => {
    let judge: (() => void) | undefined;
    const { server, harness } = identityServer({
      authenticate: () => new Promise<Identity>((resolve) => (judge = () => resolve({ userId: "u1" }))),
    });
    const peer = await harness.connect();
    await peer.send(auth("t"));
    peer.socket.drop();
    judge!();
    await harness.settle();
    expect(server.stats()).toMatchObject({ sessions: { active: 0, away: 0 }, connections: { active: 0 } });
    expect((await server.broadcast("hello", "anyone?")).delivered).toBe(0);
  });

  test("[SN1] what the client says of itself on coming back replaces what it said before", async () => {
    const { server, harness } = identityServer();
    const peer = await harness.connect();
    await peer.send(auth("u1", {}, { app: "1.0" }));
    peer.socket.drop();
    const again = await harness.connect();
    await again.send(auth("u1", { session_id: sessionOf(peer) }, { app: "1.1" }));
    expect(server.session(sessionOf(peer)).get()?.metadata).toEqual({ app: "1.1" });
  });

  test("[DV6] a user or session without an id is refused: a ban that names nobody must not look like one", () => {
    const { server } = identityServer();
    for (const id of ["", undefined as never, 7 as never])
      for (const make of [() => server.user(id), () => server.session(id)])
        expect(make).toThrow(expect.objectContaining({ code: "INVALID_VALUE", field: "id" }));
  });

  test("[SN15] those of a user are listed with or without those that wait to be resumed", async () => {
    const { server, connect } = identityServer();
    await connect("u1@phone");
    (await connect("u1@tablet")).socket.drop();
    const ids = (sessions: { deviceId: string | undefined }[]) => sessions.map(({ deviceId }) => deviceId);
    expect(ids(server.user("u1").sessions())).toEqual(["phone"]);
    expect(ids(server.user("u1").sessions({ away: true }))).toEqual(["phone", "tablet"]);
    expect((await server.user("u1").devices()).map(({ id }) => id)).toEqual(["phone"]);
  });

  test("[SN10] a direct event goes to one session, to a user, or to all", async () => {
    const { server, harness, connect } = identityServer();
    const [a, b, c] = [await connect("u1"), await connect("u1"), await connect("u2")];
    expect(await server.session(sessionOf(a)).send("hello", "you")).toEqual({ delivered: [sessionOf(a)], failed: [] });
    expect((await server.user("u1").send("hello", "both")).delivered).toEqual([a, b].map(sessionOf));
    expect(await server.broadcast("hello", "all")).toEqual({ delivered: 3 });
    expect(await server.session("gone").send("hello", "anyone?")).toEqual({
      delivered: [],
      failed: [{ deviceId: "gone", reason: "not_connected" }],
    });
    await harness.settle();
    const heard = (peer: typeof a) => peer.of("event").map(({ data }) => data);
    expect([a, b, c].map(heard)).toEqual([["you", "both", "all"], ["both", "all"], ["all"]]);
  });
});
