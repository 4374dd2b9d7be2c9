import type { Identity } from "@holdfast/server";
import { describe, expect, test } from "vitest";
import { auth, identityServer, sessionOf, subscribe } from "./support/identity-server.js";

describe("the end of a session", () => {
  test("[SN5] disconnect closes with 4403, and the session cannot be resumed", async () => {
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

  test("[SN5] revoke closes with 4401, so that the client must send a new credential", async () => {
    const { server, harness, connect } = identityServer();
    const peer = await connect("u1");
    const id = sessionOf(peer);
    await server.session(id).revoke();
    await harness.settle();
    expect(peer.closed?.code).toBe(4401);
    expect(server.session(id).get()).toBeUndefined();
    expect((await connect("u1", { session_id: id })).last("connected").data).not.toHaveProperty("resumed");
  });

  test("[SN5] revoke also ends a session that waits to be resumed, and a session whose subscribe is pending", async () => {
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

  test("[SN12] user.disconnect ends all sessions of the user, including sessions that wait to be resumed, and no session of another user", async () => {
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

  test("[SN14] user.disconnect also closes a connection of the user whose credential is being checked at the time of the call", async () => {
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
    // For a later connection, authenticate alone decides.
    const later = await harness.connect();
    await later.send(auth("u1"));
    judging.at(-1)!();
    await harness.settle();
    expect(later.last("connected").data.user_id).toBe("u1");
  });

  test("[SN14] user.disconnect also closes a connection whose upgrade request is being checked", async () => {
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

  test("[SN16] user.disconnect with `where` ends only matching sessions, such as those of one login", async () => {
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
    // If the condition throws for a pending connection, the server closes the connection. Otherwise
    // a banned user could stay connected.
    let fails = false;
    const late = await login("home", false);
    await server.user("u1").disconnect({ where: () => fails && bad() });
    fails = true;
    late.judge();
    await harness.settle();
    expect(late.peer.closed?.code).toBe(4403);
  });

  test("[SN14] session.revoke also closes a connection that is about to resume the session, and no other connection", async () => {
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

  test("[SN11] closing the server ends every session and every timer, whatever is pending", async () => {
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
    // No new timer starts either.
    await server.user("u1").disconnect();
    await expect(server.issueTicket({ userId: "u1" })).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(environment.timers).toBe(0);
  });
});
