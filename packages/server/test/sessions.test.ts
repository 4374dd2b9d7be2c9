import type { Identity, SessionEvent } from "@holdfast/server";
import { describe, expect, test } from "vitest";
import { auth, identityServer, sessionOf } from "./support/identity-server.js";
import { ForeignPromise } from "./support/foreign-promise.js";

describe("the data and events of a session", () => {
  test("[SN6] sessionData is called once per session, with the identity; if it throws, the connection is refused with INTERNAL", async () => {
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

  test("[SN7] the metadata of auth is stored, up to 4 KiB, and more is refused", async () => {
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

  test("[SN9] onSession reports opened, resumed, dropped and ended in order, even if a listener throws", async () => {
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

  test("[SN9] the ended event names the reason: not resumed in time, replaced by a newer connection, or ended by the server", async () => {
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
    await harness.advance(39_000); // the phone sends nothing, so its connection is closed
    await harness.advance(125_000);
    expect(ends).toEqual(["phone replaced", "tablet disconnected", "tv expired", "phone expired"]);
  });

  test("[SN9] if a listener returns a rejected promise, the error is logged, and the server keeps working", async () => {
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

  test("[SN9] if a listener ends the session, other listeners still receive the events in order", async () => {
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

  test("[SN3] code that runs when the old connection ends finds the new connection open", async () => {
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

  test("[SN14] a disconnect from inside sessionData or a listener closes the connection that is being opened", async () => {
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
    ban = "listener"; // the listener is called when the older session is replaced
    const peer = await connect("u1@phone");
    await harness.settle();
    expect(peer.closed).toEqual({ code: 4900, reason: "banned" });
    expect(server.stats().sessions).toEqual({ active: 0, away: 0 });
  });

  test("[SN6] sessionData is not called for a connection above the limit, and must not return a promise", async () => {
    let made = 0;
    const { connect } = identityServer({ devices: { perUser: 1 }, sessionData: () => ++made });
    await connect("u1@a");
    expect((await connect("u1@b")).closed?.code).toBe(4429);
    expect(made).toBe(1);
    const async = identityServer({ sessionData: () => ForeignPromise.reject(new Error("no database")) });
    expect((await async.connect("u1")).closed?.code).toBe(1011);
    await async.harness.settle();
  });

  test("[SN14] a connection that drops while its credential is checked leaves no state", async () => {
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

  test("[SN1] the metadata of a resumed session is replaced by the new metadata", async () => {
    const { server, harness } = identityServer();
    const peer = await harness.connect();
    await peer.send(auth("u1", {}, { app: "1.0" }));
    peer.socket.drop();
    const again = await harness.connect();
    await again.send(auth("u1", { session_id: sessionOf(peer) }, { app: "1.1" }));
    expect(server.session(sessionOf(peer)).get()?.metadata).toEqual({ app: "1.1" });
  });

  test("[DV6] server.user and server.session refuse an empty id, so that a ban without a user does not look successful", () => {
    const { server } = identityServer();
    for (const id of ["", undefined as never, 7 as never])
      for (const make of [() => server.user(id), () => server.session(id)])
        expect(make).toThrow(expect.objectContaining({ code: "INVALID_VALUE", field: "id" }));
  });

  test("[SN15] user.sessions lists sessions that wait to be resumed only with `away: true`", async () => {
    const { server, connect } = identityServer();
    await connect("u1@phone");
    (await connect("u1@tablet")).socket.drop();
    const ids = (sessions: { deviceId: string | undefined }[]) => sessions.map(({ deviceId }) => deviceId);
    expect(ids(server.user("u1").sessions())).toEqual(["phone"]);
    expect(ids(server.user("u1").sessions({ away: true }))).toEqual(["phone", "tablet"]);
    expect((await server.user("u1").devices()).map(({ id }) => id)).toEqual(["phone"]);
  });

  test("[SN10] a direct event goes to one session, to one user, or to all connections", async () => {
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
