import { defineProtocol, subprotocols } from "@holdfast/protocol";
import { createServer, type Identity } from "@holdfast/server";
import * as z from "zod";
import { describe, expect, test, vi } from "vitest";
import { agents, authenticate, basicServer } from "./support/basic-server.js";
import { ForeignPromise } from "./support/foreign-promise.js";
import { ServerHarness } from "./support/server-harness.js";
import { VirtualEnvironment } from "./support/virtual-environment.js";

const subscribe = { type: "subscribe", correlation_id: "s", data: { channels: ["updates"] } };
const auth = (token: string) => ({ type: "auth", correlation_id: "a", data: { token } });

describe("a server without authenticate", () => {
  test("[HS1] says connected at once, with session, protocol, heartbeat and limits", async () => {
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

  test("[HS2] answers an auth message with success, so that a client with a token works everywhere", async () => {
    const { harness } = basicServer();
    const peer = await harness.connect();
    await peer.send(auth("anything"));
    expect(peer.last("auth_response")).toMatchObject({ correlation_id: "a", data: { success: true } });
  });
});

describe("the auth message", () => {
  test("[HS3] opens the connection: auth_response, then connected with the user", async () => {
    const { harness, server } = basicServer({ authenticate });
    const peer = await harness.connect();
    expect(peer.received).toEqual([]);
    await peer.send({ ...auth("token-u1"), data: { token: "token-u1", device_id: "d1" } });
    expect(peer.received.map((message) => message.type)).toEqual(["auth_response", "connected"]);
    expect(peer.last("auth_response").data).toEqual({ success: true, user_id: "u1", device_id: "d1" });
    expect(peer.last("connected").data).toMatchObject({ user_id: "u1", device_id: "d1" });
    expect(server.sessions().map((session) => [session.userId, session.deviceId])).toEqual([["u1", "d1"]]);
  });

  test("[HS4] what is sent right behind auth is held while the credential is checked, then handled in order", async () => {
    let decide: (() => void) | undefined;
    const { harness, server } = basicServer({
      authenticate: () => new Promise<{ userId: string }>((resolve) => (decide = () => resolve({ userId: "u1" }))),
    });
    const peer = await harness.connect();
    await peer.send(auth("t"), subscribe, { type: "ping", correlation_id: "p" });
    expect(peer.received).toEqual([]);
    // The socket is not even read: whoever is not authenticated cannot make the server keep
    // anything.
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

  test("[HS5] a refused token is answered, then closed with 4401, without the application's own words", async () => {
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

  test("[HS6] any other first message but ping and pong is refused and closed with 4401", async () => {
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

  test("[HS25] the id of another session gives nothing of it: the token alone decides", async () => {
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

  test("[HS7] who has not authenticated after 5 s is closed with 4401", async () => {
    const { harness, environment } = basicServer({ authenticate });
    const peer = await harness.connect();
    await harness.advance(4_999);
    expect(peer.closed).toBeUndefined();
    await harness.advance(1);
    expect(peer.closed?.code).toBe(4401);
    expect(environment.timers).toBe(0);
  });

  test("[HS8] an authenticate that never answers is a refusal, not a hanging connection", async () => {
    const { harness } = basicServer({ authenticate: () => new Promise<{ userId: string }>(() => {}) });
    const peer = await harness.connect();
    await peer.send(auth("t"));
    await harness.advance(5_000);
    expect(peer.closed?.code).toBe(4401);
    // Read again, or the closing handshake would never end.
    expect(peer.socket.isRead).toBe(true);
  });

  test("[HS8] nor when what it returns is a promise of another library", async () => {
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

  test("[HS9] who sends more than 64 KiB before it is authenticated is closed", async () => {
    const { harness } = basicServer({ authenticate: () => new Promise<{ userId: string }>(() => {}) });
    const peer = await harness.connect();
    // A paused socket reads no more, but what it had read before still comes.
    await peer.send(auth("t"));
    for (let index = 0; index < 5; index++) peer.socket.force("x".repeat(16_384));
    await harness.settle();
    expect(peer.closed?.code).toBe(4400);
  });

  test("[HS9] pings count too: they are answered, and whoever reads no answer makes the server keep it", async () => {
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

  test("[HS9] more than eight are refused, however short they are", async () => {
    const { harness } = basicServer({ authenticate });
    const peer = await harness.connect();
    await peer.send(...Array.from({ length: 8 }, () => ({ type: "ping" })));
    expect(peer.of("pong")).toHaveLength(8);
    expect(peer.closed).toBeUndefined();
    await peer.send({ type: "pong" });
    expect(peer.closed?.code).toBe(4400);
  });

  test("[HS10] an identity without a userId is a fault of the application and refused", async () => {
    const error = vi.fn();
    const { harness } = basicServer({
      authenticate: () => ({}) as { userId: string },
      logger: { debug() {}, info() {}, warn() {}, error },
    });
    const peer = await harness.connect();
    await peer.send(auth("t"));
    expect(peer.closed?.code).toBe(4401);
    expect(error).toHaveBeenCalledWith({}, expect.stringContaining("userId"));
  });

  test.each([
    ["a deviceId that is no text", { userId: "u1", deviceId: 5n }],
    ["an empty deviceId, which all of the user's devices would share", { userId: "u1", deviceId: "" }],
    ["a deviceId that no message could carry", { userId: "u1", deviceId: "d".repeat(129) }],
    ["a userId that was cut within a character, which no client would read", { userId: "a\ud83d" }],
    ["a deviceId that was cut within a character", { userId: "u1", deviceId: "\ude00" }],
    ["an expiresAt that is no time, and would never come", { userId: "u1", expiresAt: Number.NaN }],
    ["an expiresAt that JSON cannot hold", { userId: "u1", expiresAt: 2n ** 64n }],
  ])("[HS10] so is one with %s", async (_what, identity) => {
    const error = vi.fn();
    const { harness } = basicServer({
      authenticate: () => identity as unknown as Identity,
      logger: { debug() {}, info() {}, warn() {}, error },
    });
    const peer = await harness.connect();
    await peer.send(auth("t"));
    expect(peer.closed?.code).toBe(4401);
    expect(error).toHaveBeenCalledWith({}, expect.stringMatching(/deviceId|expiresAt/));
  });

  test("[HS26] the identity stays the object that authenticate returned, methods included", async () => {
    class Member {
      readonly userId = "u1";
      readonly #plan = "paid";
      may(): boolean {
        return this.#plan === "paid";
      }
    }
    const { harness, server } = basicServer({ authenticate: () => new Member() });
    const peer = await harness.connect();
    await peer.send({ ...auth("t"), data: { token: "t", device_id: "d1" } });
    const [session] = server.sessions();
    expect(session!.identity.may()).toBe(true);
    expect(session!.deviceId).toBe("d1");
    await peer.send(auth("t"));
    expect(session!.deviceId).toBe("d1");
    expect(peer.last("auth_response").data).toEqual({ success: true, user_id: "u1", device_id: "d1" });
  });

  test("[HS27] refreshes take effect in the order they were sent, however long authenticate takes", async () => {
    const answers = new Map<string, () => void>();
    const { harness, server } = basicServer({
      authenticate: ({ token }) =>
        new Promise<Identity>((resolve) => answers.set(token, () => resolve({ userId: "u1", claims: token }))),
    });
    const peer = await harness.connect();
    const answer = async (token: string) => {
      answers.get(token)?.();
      await harness.settle();
    };
    await peer.send(auth("first"));
    await answer("first");
    await peer.send(auth("second"), auth("third"));
    for (const token of ["third", "second", "third"]) await answer(token);
    expect(server.sessions()[0]!.identity?.claims).toBe("third");
    expect(peer.of("auth_response")).toHaveLength(3);
  });

  test("[HS28] as many as one likes, each after the answer to the one before", async () => {
    const { harness } = basicServer({ authenticate });
    const peer = await harness.connect();
    for (let count = 0; count < 20; count++) await peer.send(auth("token-u1"));
    expect(peer.of("auth_response")).toHaveLength(20);
    expect(peer.closed).toBeUndefined();
  });

  test("[HS28] who sends more refreshes than that, without waiting for an answer, is closed with 4429", async () => {
    let asked = 0;
    const { harness, environment } = basicServer({
      authenticate: ({ token }) => (asked++ === 0 ? { userId: token } : new Promise<Identity>(() => {})),
    });
    const peer = await harness.connect();
    await peer.send(auth("u1"), ...Array.from({ length: 8 }, () => auth("u1")));
    expect(peer.closed).toBeUndefined();
    await peer.send(auth("u1"));
    expect(peer.closed).toEqual({ code: 4429, reason: '{"retryAfterMs":1000}' });
    await harness.advance(120_000); // the session has given up waiting, too
    expect(asked).toBe(2);
    expect(environment.timers).toBe(0);
  });

  test("[HS11] sent again on a live connection it refreshes the identity and loses nothing", async () => {
    let plan = "free";
    const { harness, server } = basicServer({
      authenticate: ({ token }) => ({ ...authenticate({ token, deviceId: undefined }), claims: plan }),
    });
    const peer = await harness.connect();
    await peer.send(auth("token-u1"), subscribe);
    plan = "paid";
    await peer.send({ ...auth("token-u1"), correlation_id: "again" });
    expect(peer.last("auth_response")).toMatchObject({ correlation_id: "again", data: { success: true } });
    expect(peer.of("connected")).toHaveLength(1);
    expect(server.sessions()[0]?.identity.claims).toBe("paid");
    expect(server.channel("updates").subscribers).toBe(1);
  });

  test("[HS12] a refresh with the token of another user closes the connection", async () => {
    const { harness } = basicServer({ authenticate });
    const peer = await harness.connect();
    await peer.send(auth("token-u1"), auth("token-u2"));
    expect(peer.last("auth_response").data).toMatchObject({
      success: false,
      error: { code: "UNAUTHENTICATED" },
    });
    expect(peer.closed?.code).toBe(4401);
  });

  test("[HS13] a credential that has ended closes the connection, after a grace of 25 s for its successor", async () => {
    const environment = new VirtualEnvironment();
    const expiresAt = environment.now() + 60_000;
    const server = createServer(agents, { environment, authenticate: () => ({ userId: "u1", expiresAt }) });
    const harness = new ServerHarness(server, environment);
    const peer = await harness.connect();
    await peer.send(auth("t"));
    expect(peer.last("auth_response").data).toMatchObject({ expires_at: expiresAt });
    for (let second = 0; second < 84; second += 12) {
      await harness.advance(12_000);
      await peer.send({ type: "pong" });
    }
    expect(peer.closed).toBeUndefined();
    await harness.advance(2_000);
    expect(peer.closed?.code).toBe(4401);
  });
});

describe("a credential in the upgrade request", () => {
  const withCookie = {
    authenticate,
    credentials: { cookie: "sid", queryToken: true },
    origins: ["https://app.example.com"],
  };
  const cookie = { cookie: "theme=dark; sid=token-u1", host: "api.example.com" };

  test("[HS14] an Authorization header opens the connection without an auth message", async () => {
    const { harness } = basicServer({ authenticate });
    const peer = await harness.connect({ headers: { authorization: "Bearer token-u7" } });
    expect(peer.last("connected").data).toMatchObject({ user_id: "u7" });
  });

  test("[HS15] a refused one is HTTP 401, before the upgrade", async () => {
    const { harness, server } = basicServer(withCookie);
    expect(await harness.refused({ headers: { authorization: "Bearer wrong" } })).toBe(401);
    expect(await harness.refused({ url: "/ws?token=wrong" })).toBe(401);
    expect(
      await harness.refused({ headers: { cookie: "sid=wrong", host: "localhost", origin: "http://localhost" } }),
    ).toBe(401);
    expect(server.stats().connections).toMatchObject({ total: 0, failed: 3 });
  });

  test("[HS16] ?token= is not looked at unless it was opted in", async () => {
    const { harness } = basicServer({ authenticate });
    const peer = await harness.connect({ url: "/ws?token=token-u1" });
    expect(peer.received).toEqual([]);
    const optedIn = basicServer({ authenticate, credentials: { queryToken: true } });
    expect((await optedIn.harness.connect({ url: "/ws?token=token-u1" })).last("connected").data.user_id).toBe("u1");
  });

  test.each([
    ["the same origin", { ...cookie, origin: "https://api.example.com" }],
    ["a listed origin", { ...cookie, origin: "https://app.example.com" }],
  ])("[HS17] a cookie is accepted from %s", async (_, headers) => {
    const { harness } = basicServer(withCookie);
    expect((await harness.connect({ headers })).last("connected").data.user_id).toBe("u1");
  });

  test.each([
    ["another origin", "https://evil.example"],
    ["a longer name that begins like a listed one", "https://app.example.com.evil.io"],
    ["another port", "https://app.example.com:8443"],
    ["a page without an origin", "null"],
    ["no origin at all", undefined],
  ])("[HS18] a cookie is refused with 403 from %s", async (_, origin) => {
    const { harness } = basicServer(withCookie);
    expect(await harness.refused({ headers: { ...cookie, ...(origin !== undefined && { origin }) } })).toBe(403);
  });

  test("[HS19] a cookie of another name is no credential", async () => {
    const { harness } = basicServer({ authenticate, credentials: { cookie: "sid" } });
    const peer = await harness.connect({ headers: { cookie: "tracking=1", origin: "https://evil.example" } });
    expect(peer.received).toEqual([]);
  });

  test("[HS24] a list of origins holds for every page, whatever its credential; who is no page is not asked", async () => {
    const { harness } = basicServer({ authenticate, origins: ["https://app.example.com"] });
    const bearer = { authorization: "Bearer token-u1", host: "api.example.com" };
    expect(await harness.refused({ headers: { ...bearer, origin: "https://evil.example" } })).toBe(403);
    expect(await harness.refused({ headers: { host: "api.example.com", origin: "null" } })).toBe(403);
    for (const headers of [
      bearer,
      { ...bearer, origin: "https://app.example.com" },
      { ...bearer, origin: "https://api.example.com" },
    ]) {
      expect((await harness.connect({ headers })).last("connected").data.user_id).toBe("u1");
    }
  });

  test.each([
    ["a page of another origin", "https://evil.example", {}],
    ["a page without an origin to name", "null", {}],
    ["a page of this origin", "https://api.example.com", { sid: "ada" }],
    ["a page of a listed origin", "https://app.example.com", { sid: "ada" }],
  ])("[HS31] what authenticate reads of the cookies of %s is %s", async (_, origin, cookies) => {
    const seen: unknown[] = [];
    const environment = new VirtualEnvironment();
    // The list is not given to the server but for the last case: without one any page may connect,
    // and prove nothing by that.
    const origins = origin === "https://app.example.com" ? [origin] : undefined;
    const server = createServer(agents, {
      environment,
      ...(origins && { origins }),
      authenticate: (credential) => {
        seen.push(credential.cookies, credential.headers["cookie"] !== undefined);
        return { userId: "u1" };
      },
    });
    const harness = new ServerHarness(server, environment);
    const peer = await harness.connect({ headers: { cookie: "sid=ada", host: "api.example.com", origin } });
    await peer.send(auth("anything"));
    expect(seen).toEqual([cookies, Object.keys(cookies).length > 0]);
  });

  test("authenticate is told where the credential came from, and all cookies and headers", async () => {
    const seen: unknown[] = [];
    const { harness } = basicServer({
      authenticate: (credential) => {
        seen.push({
          source: credential.source,
          theme: credential.cookies["theme"],
          agent: credential.headers["user-agent"],
        });
        return authenticate(credential);
      },
      credentials: { cookie: "sid" },
    });
    await harness.connect({ headers: { ...cookie, origin: "https://api.example.com", "user-agent": "test" } });
    const peer = await harness.connect({ headers: { cookie: "theme=light" } });
    await peer.send(auth("token-u1"));
    expect(seen).toEqual([
      { source: "cookie", theme: "dark", agent: "test" },
      { source: "message", theme: "light", agent: undefined },
    ]);
  });
});

describe("connection parameters", () => {
  const protocol = defineProtocol({
    name: "sync",
    version: "1.0.0",
    parameters: z.object({ sessionId: z.uuid(), since: z.coerce.number().int().optional() }),
    requests: { whoami: { output: z.object({ sessionId: z.string(), since: z.number().optional() }) } },
  });
  const start = () => {
    const environment = new VirtualEnvironment();
    const server = createServer(protocol, { environment });
    server.handle("whoami", ({ session }) => session.parameters);
    return new ServerHarness(server, environment);
  };

  test("[HS20] reach the handlers validated and converted", async () => {
    const peer = await start().connect({ url: "/ws?sessionId=7c1f0a3e-6b1d-4f7e-9a53-0d5c2b8f4e11&since=12" });
    await peer.send({ type: "request", correlation_id: "1", data: { name: "whoami" } });
    expect(peer.last("response").data).toEqual({
      ok: true,
      output: { sessionId: "7c1f0a3e-6b1d-4f7e-9a53-0d5c2b8f4e11", since: 12 },
    });
  });

  test("[HS32] a credential in the query is none of them, however strict they are", async () => {
    const protocol = defineProtocol({
      name: "strict",
      version: "1.0.0",
      parameters: z.strictObject({ page: z.string() }),
      requests: { ping: {} },
    });
    const environment = new VirtualEnvironment();
    const credentials = { queryToken: true, ticket: true };
    const server = createServer(protocol, { environment, authenticate, credentials });
    const harness = new ServerHarness(server, environment);
    const peer = await harness.connect({ url: "/ws?page=1&token=token-u1" });
    expect(peer.last("connected").data.user_id).toBe("u1");
    const ticket = await server.issueTicket({ userId: "u2" });
    expect((await harness.connect({ url: `/ws?page=1&ticket=${ticket}` })).last("connected").data.user_id).toBe("u2");
    expect(server.sessions().map(({ parameters }) => parameters)).toEqual([{ page: "1" }, { page: "1" }]);
    expect((await harness.connect({ url: "/ws?page=1&stranger=1" })).closed?.code).toBe(1008);
  });

  test.each([
    ["/ws", "sessionId"],
    ["/ws?sessionId=42", "sessionId"],
    ["/ws?sessionId=7c1f0a3e-6b1d-4f7e-9a53-0d5c2b8f4e11&since=soon", "since"],
  ])("[HS21] %s is closed with 1008, naming %s", async (url, name) => {
    const peer = await start().connect({ url });
    expect(peer.closed?.code).toBe(1008);
    expect(peer.closed?.reason).toContain(name);
    expect(peer.received).toEqual([]);
  });
});

describe("the subprotocol", () => {
  test.each([
    ["holdfast.v1.json", subprotocols.json],
    ["something, holdfast.v1.json", subprotocols.json],
    [undefined, undefined],
  ])("[HS22] offered %s, %s is chosen", async (offered, chosen) => {
    const { harness } = basicServer();
    const peer = await harness.connect({ headers: offered === undefined ? {} : { "sec-websocket-protocol": offered } });
    expect(peer.socket.subprotocol).toBe(chosen);
    expect(peer.of("connected")).toHaveLength(1);
  });

  test("[HS23] who offers only others is closed with 4406, in a way a browser can read", async () => {
    const { harness } = basicServer();
    const peer = await harness.connect({ headers: { "sec-websocket-protocol": "holdfast.v9.json" } });
    expect(peer.socket.subprotocol).toBe("holdfast.v9.json");
    expect(peer.closed).toEqual({ code: 4406, reason: expect.stringContaining("holdfast.v1.json") });
  });
});
