import { subprotocols } from "@holdfast/protocol";
import type { Identity } from "@holdfast/server";
import { describe, expect, test, vi } from "vitest";
import { auth, authenticate, identityServer, sessionOf, stayConnected, subscribe } from "./support/identity-server.js";
import { VirtualEnvironment } from "./support/virtual-environment.js";

const START = new VirtualEnvironment().now();

/** Tokens such as `u1-60`: the user id, and the expiry in seconds after START. */
const untilSecond = ({ token }: { token: string }): Identity => {
  const [userId = "", seconds] = token.split("-");
  return { userId, expiresAt: START + Number(seconds) * 1_000 };
};

describe("a credential that expires", () => {
  test("[AU1] auth_expiring is sent 30 s before the credential expires, and again every 10 s", async () => {
    const { harness, connect } = identityServer({ authenticate: untilSecond });
    const peer = await connect("u1-100");
    await stayConnected(harness, 69_000, peer);
    expect(peer.of("auth_expiring")).toEqual([]);
    await harness.advance(2_000);
    expect(peer.of("auth_expiring")).toEqual([{ type: "auth_expiring", data: { expires_at: START + 100_000 } }]);
    await stayConnected(harness, 22_000, peer);
    expect(peer.of("auth_expiring")).toHaveLength(3);
  });

  test("[AU1] for a credential that lives less than a minute, auth_expiring is sent after half of its life", async () => {
    const { harness, connect } = identityServer({ authenticate: untilSecond });
    const peer = await connect("u1-20");
    await harness.advance(9_000);
    expect(peer.of("auth_expiring")).toEqual([]);
    await harness.advance(2_000);
    expect(peer.of("auth_expiring")).toHaveLength(1);
  });

  test("[AU2] a newer credential replaces the expiry, keeps the session, and ends the auth_expiring messages", async () => {
    const { server, harness, connect } = identityServer({ authenticate: untilSecond });
    const peer = await connect("u1-60", {}, subscribe("news"));
    await stayConnected(harness, 32_000, peer);
    expect(peer.of("auth_expiring")).toHaveLength(1);
    await peer.send(auth("u1-1000"));
    await stayConnected(harness, 100_000, peer);
    expect(peer.closed).toBeUndefined();
    expect(peer.of("auth_expiring")).toHaveLength(1);
    expect(peer.of("connected")).toHaveLength(1);
    await server.channel("news").publish("published", "still here");
    await harness.settle();
    expect(peer.of("event")).toHaveLength(1);
  });

  test("[AU2] without an expiry, no auth_expiring is sent", async () => {
    const { harness, connect } = identityServer();
    const peer = await connect("u1");
    await stayConnected(harness, 600_000, peer);
    expect(peer.of("auth_expiring")).toEqual([]);
  });

  test("[AU7] a refresh with the token of another device closes the connection with 4401", async () => {
    const { connect } = identityServer();
    const peer = await connect("u1@phone");
    await peer.send(auth("u1@tablet"));
    expect(peer.last("auth_response").data).toMatchObject({ error: { code: "UNAUTHENTICATED" } });
    expect(peer.closed?.code).toBe(4401);
    const named = await connect("u2", { device_id: "phone" });
    await named.send(auth("u2"), auth("u2", { device_id: "phone" }));
    expect(named.closed).toBeUndefined();
  });
});

describe("permissions that change", () => {
  const granted = new Set<string>();
  const authorize = ({ channel, key }: { channel: string; key: string | undefined }) =>
    granted.has(key === undefined ? channel : `${channel}:${key}`);
  const grant = (...names: string[]) => {
    granted.clear();
    names.forEach((name) => granted.add(name));
  };

  test("[AU4] reauthorize unsubscribes the channels that are no longer granted, with the reason, and keeps the others", async () => {
    grant("news", "room:a", "room:b");
    const { server, harness, connect } = identityServer({ authorize });
    const peer = await connect("u1", {}, subscribe("news", "room:a", "room:b"));
    const other = await connect("u2", {}, subscribe("room:a"));
    grant("news", "room:b");
    await server.user("u1").reauthorize();
    await harness.settle();
    expect(peer.of("unsubscribed")).toEqual([
      {
        type: "unsubscribed",
        channel: "room:a",
        data: expect.objectContaining({ code: "FORBIDDEN", message: expect.stringContaining("room:a") }),
      },
    ]);
    await server.channel("room", "a").publish("said", "secret");
    await server.channel("room", "b").publish("said", "hello");
    await harness.settle();
    expect(peer.of("event").map(({ channel }) => channel)).toEqual(["room:b"]);
    expect(other.of("event").map(({ channel }) => channel)).toEqual(["room:a"]);
    await peer.send({ type: "list_subscriptions" });
    expect(peer.last("subscriptions").data.channels).toEqual(["news", "room:b"]);
    expect(peer.closed).toBeUndefined();
  });

  test("[AU4] if authorize throws during reauthorize, the channel is unsubscribed with INTERNAL", async () => {
    let fails = false;
    const { server, harness, connect } = identityServer({
      authorize: () => {
        if (fails) throw new Error("the database is down");
        return true;
      },
    });
    const peer = await connect("u1", {}, subscribe("news"));
    fails = true;
    await server.user("u1").reauthorize();
    await harness.settle();
    expect(peer.last("unsubscribed")).toMatchObject({ channel: "news", data: { code: "INTERNAL" } });
    expect(JSON.stringify(peer.received)).not.toContain("database");
    expect(server.channel("news").subscribers).toBe(0);
  });

  test("[AU3] after each refresh of the credential, authorize is called again for every joined channel", async () => {
    const { harness, connect } = identityServer({
      authenticate: ({ token }) => ({ userId: "u1", claims: token }),
      authorize: ({ identity, channel }) => identity.claims === "paid" || channel === "news",
    });
    const peer = await connect("paid", {}, subscribe("news", "room:a"));
    await peer.send(auth("free"));
    await harness.settle();
    expect(peer.last("auth_response").data.success).toBe(true);
    expect(peer.of("unsubscribed").map(({ channel }) => channel)).toEqual(["room:a"]);
  });

  test("[AU5] an answer of authorize that was requested before reauthorize does not join the channel", async () => {
    const verdicts: ((allowed: boolean) => void)[] = [];
    const { server, harness, connect } = identityServer({
      authorize: () => new Promise<boolean>((resolve) => verdicts.push(resolve)),
    });
    const peer = await connect("u1", {}, subscribe("room:a"));
    // authorize was called once. Before it answers, the user is banned.
    expect(verdicts).toHaveLength(1);
    const reauthorized = server.user("u1").reauthorize();
    verdicts[0]!(true);
    await harness.settle();
    expect(peer.of("subscribe_response")).toEqual([]);
    expect(verdicts).toHaveLength(2);
    verdicts[1]!(false);
    await harness.settle();
    await reauthorized;
    expect(peer.last("subscribe_response").data).toMatchObject({ success: false, subscribed: [] });
    expect(server.channel("room", "a").subscribers).toBe(0);
  });

  test("[AU5] if reauthorize removes a channel while a subscribe is pending, earlier answers are discarded and authorize is called again", async () => {
    const pending = new Map<string, ((allowed: boolean) => void)[]>();
    let slow = false;
    const { server, harness, connect } = identityServer({
      authorize: ({ channel, key }) =>
        slow
          ? new Promise<boolean>((resolve) => {
              const name = key ?? channel;
              pending.set(name, [...(pending.get(name) ?? []), resolve]);
            })
          : true,
    });
    const peer = await connect("u1", {}, subscribe("news"));
    slow = true;
    const reauthorized = server.user("u1").reauthorize();
    await peer.send(subscribe("news", "room:a"));
    pending.get("news")![0]!(false);
    await harness.settle();
    expect(peer.of("unsubscribed")).toHaveLength(1);
    pending.get("a")![0]!(true);
    await harness.settle();
    await reauthorized;
    // authorize was called again for both channels.
    pending.get("news")![1]!(false);
    pending.get("a")![1]!(true);
    await harness.settle();
    expect(server.channel("news").subscribers).toBe(0);
    expect(peer.last("subscribe_response").data.subscribed).toEqual(["room:a"]);
  });

  test("[AU4] if the newest call of authorize has granted a channel, a later refusal by an older call has no effect", async () => {
    const verdicts: ((allowed: boolean) => void)[] = [];
    let slow = false;
    const { server, harness, connect } = identityServer({
      authorize: () => (slow ? new Promise<boolean>((resolve) => verdicts.push(resolve)) : true),
    });
    const peer = await connect("u1", {}, subscribe("news"));
    slow = true;
    const both = [server.user("u1").reauthorize(), server.user("u1").reauthorize()];
    verdicts[1]!(true);
    verdicts[0]!(false);
    await harness.settle();
    await Promise.all(both);
    expect(peer.of("unsubscribed")).toEqual([]);
    expect(server.channel("news").subscribers).toBe(1);
  });

  test("[AU16] repeated refreshes do not postpone a refusal: the first refusal of authorize unsubscribes the channel", async () => {
    let granted = true;
    const { server, harness, environment, connect } = identityServer({
      authorize: () => {
        const allowed = granted;
        return new Promise<boolean>((resolve) => environment.after(200, () => resolve(allowed)));
      },
    });
    const peer = await connect("u1", {}, subscribe("news"));
    await harness.advance(200);
    expect(server.channel("news").subscribers).toBe(1);
    granted = false;
    void server.user("u1").reauthorize();
    for (let round = 0; round < 5; round++) {
      await peer.send(auth("u1"));
      await harness.advance(50);
    }
    expect(server.channel("news").subscribers).toBe(0);
    expect(peer.of("unsubscribed")).toHaveLength(1);
  });

  test("[AU4] if the client leaves a channel while reauthorize runs, no unsubscribed message is sent", async () => {
    let decide: ((allowed: boolean) => void) | undefined;
    let slow = false;
    const { server, harness, connect } = identityServer({
      authorize: () => (slow ? new Promise<boolean>((resolve) => (decide = resolve)) : true),
    });
    const peer = await connect("u1", {}, subscribe("news"));
    slow = true;
    void server.user("u1").reauthorize();
    await peer.send({ type: "unsubscribe", data: { channels: ["news"] } });
    decide!(false);
    await harness.settle();
    expect(peer.of("unsubscribed")).toEqual([]);
  });

  test("[AU6] reauthorize does not wait for a subscribe whose authorize is still pending", async () => {
    let banned = false;
    const { server, harness, connect } = identityServer({
      authorize: ({ key }) => (key === "slow" ? new Promise<boolean>(() => {}) : !banned),
    });
    const peer = await connect("u1", {}, subscribe("room:a"), subscribe("room:slow"));
    banned = true;
    await server.user("u1").reauthorize();
    await harness.settle();
    expect(peer.of("unsubscribed").map(({ channel }) => channel)).toEqual(["room:a"]);
  });
});

describe("an auth message without a token", () => {
  const offered = { "sec-websocket-protocol": `${subprotocols.json}, ${subprotocols.auth}` };

  test("[AU8] is refused with 4401 if the upgrade request carried no credential", async () => {
    const { connect } = identityServer();
    const peer = await connect(undefined as never);
    expect(peer.last("auth_response").data).toMatchObject({ success: false, error: { code: "UNAUTHENTICATED" } });
    expect(peer.closed?.code).toBe(4401);
  });

  test("[AU9] names the device and the session if the upgrade request carried the credential", async () => {
    const { server, harness } = identityServer();
    const request = { headers: { ...offered, authorization: "Bearer u1" } };
    const peer = await harness.connect(request);
    expect(peer.received).toEqual([]);
    expect(peer.socket.subprotocol).toBe(subprotocols.json);
    await peer.send(auth(undefined, { device_id: "phone" }));
    expect(peer.received).toMatchObject([
      { type: "auth_response", correlation_id: "a", data: { success: true, user_id: "u1", device_id: "phone" } },
      { type: "connected", data: { user_id: "u1", device_id: "phone" } },
    ]);
    peer.socket.drop();
    const again = await harness.connect(request);
    await again.send(auth(undefined, { device_id: "phone", session_id: sessionOf(peer) }));
    expect(again.last("connected").data).toMatchObject({ session_id: sessionOf(peer), resumed: true });
    expect(server.stats().sessions).toEqual({ active: 1, away: 0 });
  });

  test("[AU13] the credential of the upgrade request is checked when auth arrives, with the device id of auth, and a refusal is answered", async () => {
    const seen: unknown[] = [];
    const { harness } = identityServer({
      authenticate: ({ token, source, deviceId }) => {
        seen.push([token, source, deviceId]);
        return authenticate({ token });
      },
    });
    const good = await harness.connect({ headers: { ...offered, authorization: "Bearer u1" } });
    expect(seen).toEqual([]);
    await good.send(auth(undefined, { device_id: "phone" }));
    expect(seen).toEqual([["u1", "header", "phone"]]);
    const bad = await harness.connect({ headers: { ...offered, authorization: "Bearer nobody" } });
    await bad.send(auth(undefined));
    expect(bad.last("auth_response").data).toMatchObject({ success: false, error: { code: "UNAUTHENTICATED" } });
    expect(bad.closed?.code).toBe(4401);
  });

  test("[AU14] if tokens in messages are turned off, an upgrade without a credential is refused with HTTP 401", async () => {
    const { harness } = identityServer({ credentials: { message: false } });
    expect(await harness.refused({})).toBe(401);
    // A client that offers the auth subprotocol may be a browser page, which cannot read an HTTP
    // status. The server therefore accepts the connection and then closes it.
    const page = await harness.connect({ headers: offered });
    expect(page.closed?.code).toBe(4401);
    const peer = await harness.connect({ headers: { authorization: "Bearer u1" } });
    expect(peer.last("connected").data.user_id).toBe("u1");
    await peer.send(auth("u1"));
    expect(peer.closed?.code).toBe(4401);
  });

  test("[AU9] must arrive within 5 s, otherwise the connection is closed with 4401", async () => {
    const { harness } = identityServer();
    const peer = await harness.connect({ headers: { ...offered, authorization: "Bearer u1" } });
    await harness.advance(5_001);
    expect(peer.closed?.code).toBe(4401);
  });

  test("[AU9] a token in the message takes precedence over the credential of the upgrade request", async () => {
    const { harness } = identityServer();
    const peer = await harness.connect({ headers: { ...offered, authorization: "Bearer u1" } });
    await peer.send(auth("u2"));
    expect(peer.last("connected").data).toMatchObject({ user_id: "u2" });
  });

  test("[AU8] succeeds on an open connection and changes nothing", async () => {
    const { harness } = identityServer();
    const peer = await harness.connect({ headers: { authorization: "Bearer u1" } });
    await peer.send(auth(undefined, { device_id: "phone" }));
    expect(peer.last("auth_response").data).toMatchObject({ success: true, user_id: "u1", device_id: sessionOf(peer) });
    expect(peer.of("connected")).toHaveLength(1);
  });
});

describe("a ticket of issueTicket", () => {
  const options = { authenticate: vi.fn(authenticate), credentials: { ticket: true } };

  test("[AU10] a ticket opens exactly one connection, without calling authenticate again", async () => {
    const { server, harness } = identityServer(options);
    options.authenticate.mockClear();
    const ticket = await server.issueTicket({ userId: "u1", deviceId: "tv" });
    const peer = await harness.connect({ url: `/ws?ticket=${ticket}` });
    expect(peer.last("connected").data).toMatchObject({ user_id: "u1", device_id: "tv" });
    expect(options.authenticate).not.toHaveBeenCalled();
    expect(await harness.refused({ url: `/ws?ticket=${ticket}` })).toBe(401);
  });

  test("[AU11] an expired or unknown ticket is refused with HTTP 401, and no ticket appears in the log", async () => {
    const lines: string[] = [];
    const log = (fields: object, text: string) => void lines.push(JSON.stringify(fields) + text);
    const { server, harness, environment } = identityServer({
      ...options,
      logger: { debug: log, info: log, warn: log, error: log },
    });
    const ticket = await server.issueTicket({ userId: "u1" });
    await harness.advance(30_001);
    expect(environment.timers).toBe(0);
    expect(await harness.refused({ url: `/ws?ticket=${ticket}` })).toBe(401);
    expect(await harness.refused({ url: "/ws?ticket=invented" })).toBe(401);
    // An empty ticket is no credential: the connection must send auth.
    expect((await harness.connect({ url: "/ws?ticket=" })).received).toEqual([]);
    const good = await server.issueTicket({ userId: "u1" });
    (await harness.connect({ url: `/ws?ticket=${good}` })).socket.drop();
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join()).not.toMatch(new RegExp(`${ticket}|${good}|invented`));
  });

  test("[AU15] a ticket opens no connection if the user was disconnected after the ticket was issued", async () => {
    const { server, harness } = identityServer(options);
    const ticket = await server.issueTicket({ userId: "u1" });
    await harness.advance(20_000);
    await server.user("u1").disconnect({ code: 4403, reason: "banned" });
    await harness.advance(9_000);
    const peer = await harness.connect({ url: `/ws?ticket=${ticket}` });
    expect(peer.closed).toEqual({ code: 4403, reason: "banned" });
    expect(peer.of("connected")).toEqual([]);
  });

  test("[AU11] a ticket is refused if its credential has expired meanwhile", async () => {
    const { server, harness } = identityServer(options);
    const ticket = await server.issueTicket({ userId: "u1", expiresAt: START + 10_000 });
    await harness.advance(11_000);
    expect(await harness.refused({ url: `/ws?ticket=${ticket}` })).toBe(401);
  });

  test("[AU12] without `credentials.ticket`, issueTicket rejects and tickets in the URL are ignored", async () => {
    const { server, harness } = identityServer();
    await expect(server.issueTicket({ userId: "u1" })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      field: "credentials.ticket",
    });
    const peer = await harness.connect({ url: "/ws?ticket=x" });
    expect(peer.received).toEqual([]);
  });

  test("[AU12] issueTicket rejects a value that is not a valid identity", async () => {
    const { server } = identityServer(options);
    await expect(server.issueTicket({ userId: "" })).rejects.toMatchObject({ code: "INVALID_VALUE" });
    await expect(server.issueTicket({ userId: "u1", expiresAt: Number.NaN })).rejects.toMatchObject({
      field: "identity",
    });
  });

  test("[AU10] if more than 100,000 tickets are unused, the oldest ticket is dropped", async () => {
    const { server, harness } = identityServer(options);
    const first = await server.issueTicket({ userId: "u1" });
    let last = first;
    for (let count = 0; count < 100_000; count++) last = await server.issueTicket({ userId: "u1" });
    expect(await harness.refused({ url: `/ws?ticket=${first}` })).toBe(401);
    const peer = await harness.connect({ url: `/ws?ticket=${last}` });
    expect(peer.last("connected").data.user_id).toBe("u1");
  });
});
