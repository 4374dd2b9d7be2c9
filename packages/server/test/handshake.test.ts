import type { Identity } from "@holdfast/server";
import { describe, expect, test, vi } from "vitest";
import { authenticate, basicServer } from "./support/basic-server.js";
import { ForeignPromise } from "./support/foreign-promise.js";

const subscribe = { type: "subscribe", correlation_id: "s", data: { channels: ["updates"] } };
const auth = (token: string) => ({ type: "auth", correlation_id: "a", data: { token } });

describe("a server without authenticate", () => {
  test("[HS1] connected is sent at once, with session, protocol, heartbeat and limits", async () => {
    const { harness } = basicServer();
    const peer = await harness.connect();
    expect(peer.received).toEqual([
      {
        type: "connected",
        data: {
          session_id: "id-1",
          protocol: { name: "agents", version: "1.0.0", fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) },
          heartbeat: { interval_ms: 30_000, timeout_ms: 10_000 },
          limits: { message_bytes: 65_536, subscriptions: 128, requests_in_flight: 64 },
        },
      },
    ]);
  });

  test("[HS2] auth is answered with success, so that a client that sends a token works with every server", async () => {
    const { harness } = basicServer();
    const peer = await harness.connect();
    await peer.send(auth("anything"));
    expect(peer.last("auth_response")).toMatchObject({ correlation_id: "a", data: { success: true } });
  });
});

describe("the auth message", () => {
  test("[HS3] a valid token is answered with auth_response, then connected with the user id", async () => {
    const { harness, server } = basicServer({ authenticate });
    const peer = await harness.connect();
    expect(peer.received).toEqual([]);
    await peer.send({ ...auth("token-u1"), data: { token: "token-u1", device_id: "d1" } });
    expect(peer.received.map((message) => message.type)).toEqual(["auth_response", "connected"]);
    expect(peer.last("auth_response").data).toEqual({ success: true, user_id: "u1", device_id: "d1" });
    expect(peer.last("connected").data).toMatchObject({ user_id: "u1", device_id: "d1" });
    expect(server.sessions().map((session) => [session.userId, session.deviceId])).toEqual([["u1", "d1"]]);
  });

  test("[HS4] messages sent right after auth wait until the credential is checked, and are then handled in order", async () => {
    let decide: (() => void) | undefined;
    const { harness, server } = basicServer({
      authenticate: () => new Promise<{ userId: string }>((resolve) => (decide = () => resolve({ userId: "u1" }))),
    });
    const peer = await harness.connect();
    await peer.send(auth("t"), subscribe, { type: "ping", correlation_id: "p" });
    expect(peer.received).toEqual([]);
    // The socket is paused, so an unauthenticated client cannot fill the memory of the server.
    expect(server.stats().messages.received).toBe(1);
    expect(peer.socket.isRead).toBe(false);
    decide!();
    await harness.settle();
    expect(peer.socket.isRead).toBe(true);
    expect(peer.received.map((message) => message.type)).toEqual([
      "auth_response",
      "connected",
      "subscribe_response",
      "pong",
    ]);
  });

  test("[HS5] a refused token is answered and closed with 4401, and the error text of the application is not sent", async () => {
    const { harness, server } = basicServer({ authenticate });
    const peer = await harness.connect();
    await peer.send(auth("secret-token"));
    expect(peer.received).toEqual([
      {
        type: "auth_response",
        correlation_id: "a",
        data: {
          success: false,
          error: { code: "UNAUTHENTICATED", message: expect.any(String), remedy: expect.any(String) },
        },
      },
    ]);
    expect(peer.closed?.code).toBe(4401);
    expect(server.stats().connections).toMatchObject({ active: 0, failed: 1 });
  });

  test("[HS6] a first message other than auth, ping or pong is answered with UNAUTHENTICATED and closed with 4401", async () => {
    const { harness } = basicServer({ authenticate });
    const peer = await harness.connect();
    await peer.send({ type: "pong" }, { type: "ping", correlation_id: "p" });
    expect(peer.received).toEqual([{ type: "pong", correlation_id: "p" }]);
    await peer.send(subscribe);
    expect(peer.last("error")).toMatchObject({
      correlation_id: "s",
      data: { code: "UNAUTHENTICATED", message: expect.stringContaining("subscribe") },
    });
    expect(peer.closed?.code).toBe(4401);
  });

  test("[HS25] the session id of another user gives access to nothing: the token alone decides", async () => {
    const { harness } = basicServer({ authenticate });
    const victim = await harness.connect();
    await victim.send(auth("token-u1"), subscribe);
    const { session_id } = victim.last("connected").data as { session_id: string };
    const peer = await harness.connect();
    await peer.send({ type: "auth", data: { token: "token-u2", session_id } }, { type: "list_subscriptions" });
    expect(peer.last("connected").data).toMatchObject({
      user_id: "u2",
      session_id: expect.not.stringMatching(session_id),
    });
    expect(peer.last("subscriptions").data).toEqual({ channels: [] });
    expect(victim.closed).toBeUndefined();
    const stranger = await harness.connect();
    await stranger.send({ type: "auth", data: { token: "wrong", session_id } });
    expect(stranger.closed?.code).toBe(4401);
  });

  test("[HS7] a connection that does not authenticate within 5 s is closed with 4401", async () => {
    const { harness, environment } = basicServer({ authenticate });
    const peer = await harness.connect();
    await harness.advance(4_999);
    expect(peer.closed).toBeUndefined();
    await harness.advance(1);
    expect(peer.closed?.code).toBe(4401);
    expect(environment.timers).toBe(0);
  });

  test("[HS8] if authenticate does not answer in time, the connection is closed with 4401", async () => {
    const { harness } = basicServer({ authenticate: () => new Promise<{ userId: string }>(() => {}) });
    const peer = await harness.connect();
    await peer.send(auth("t"));
    await harness.advance(5_000);
    expect(peer.closed?.code).toBe(4401);
    // The socket is read again. Otherwise the closing handshake would never end.
    expect(peer.socket.isRead).toBe(true);
  });

  test("[HS8] if a promise of another library does not settle in time, the upgrade is refused with HTTP 401", async () => {
    const never = new ForeignPromise<{ userId: string }>(() => {});
    const { harness } = basicServer({ authenticate: () => never, authTimeoutMs: 1_000 });
    expect(
      await Promise.race([
        harness.refused({ headers: { authorization: "Bearer t" } }),
        (async () => {
          for (let turn = 0; turn < 3; turn++) await harness.advance(1_000);
          return "nothing";
        })(),
      ]),
    ).toBe(401);
  });

  test("[HS9] a connection that sends more than 64 KiB before it is authenticated is closed with 4400", async () => {
    const { harness } = basicServer({ authenticate: () => new Promise<{ userId: string }>(() => {}) });
    const peer = await harness.connect();
    // A paused socket reads no more, but frames that were read before are still handled.
    await peer.send(auth("t"));
    for (let index = 0; index < 5; index++) peer.socket.force("x".repeat(16_384));
    await harness.settle();
    expect(peer.closed?.code).toBe(4400);
  });

  test("[HS9] pings count towards the 64 KiB, because their answers stay in memory if the client does not read them", async () => {
    const { harness } = basicServer({ authenticate });
    const peer = await harness.connect();
    peer.socket.stall(true);
    const ping = { type: "ping", metadata: { note: "x".repeat(10_000) } };
    await peer.send(...Array.from({ length: 8 }, () => ping));
    peer.socket.stall(false);
    await harness.settle();
    expect(peer.of("pong")).toHaveLength(6);
    expect(peer.closed?.code).toBe(4400);
  });

  test("[HS9] more than eight messages before authentication close the connection with 4400, however short they are", async () => {
    const { harness } = basicServer({ authenticate });
    const peer = await harness.connect();
    await peer.send(...Array.from({ length: 8 }, () => ({ type: "ping" })));
    expect(peer.of("pong")).toHaveLength(8);
    expect(peer.closed).toBeUndefined();
    await peer.send({ type: "pong" });
    expect(peer.closed?.code).toBe(4400);
  });

  test("[HS10] an identity without `userId` closes the connection with 4401 and logs the reason", async () => {
    const error = vi.fn();
    const { harness } = basicServer({
      authenticate: () => ({}) as { userId: string },
      logger: { debug() {}, info() {}, warn() {}, error },
    });
    const peer = await harness.connect();
    await peer.send(auth("t"));
    expect(peer.closed?.code).toBe(4401);
    expect(error).toHaveBeenCalledWith({ expected: expect.stringContaining("userId") }, expect.any(String));
  });

  test.each([
    ["a `deviceId` that is not a string", { userId: "u1", deviceId: 5n }],
    ["an empty `deviceId`, which all devices of the user would share", { userId: "u1", deviceId: "" }],
    ["a `deviceId` that is too long for a message", { userId: "u1", deviceId: "d".repeat(129) }],
    ["a `userId` cut within a surrogate pair, which no client could read", { userId: "a\ud83d" }],
    ["a `deviceId` cut within a surrogate pair", { userId: "u1", deviceId: "\ude00" }],
    ["an `expiresAt` of NaN, which would never pass", { userId: "u1", expiresAt: Number.NaN }],
    ["an `expiresAt` that JSON cannot hold", { userId: "u1", expiresAt: 2n ** 64n }],
  ])("[HS10] an identity closes the connection with 4401 and logs the reason if it has %s", async (_what, identity) => {
    const error = vi.fn();
    const { harness } = basicServer({
      authenticate: () => identity as unknown as Identity,
      logger: { debug() {}, info() {}, warn() {}, error },
    });
    const peer = await harness.connect();
    await peer.send(auth("t"));
    expect(peer.closed?.code).toBe(4401);
    expect(error).toHaveBeenCalledWith({ expected: expect.stringMatching(/deviceId|expiresAt/) }, expect.any(String));
  });
});
