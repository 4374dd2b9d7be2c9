import { defineProtocol, subprotocols } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import * as z from "zod";
import { describe, expect, test } from "vitest";
import { agents, authenticate, basicServer } from "./support/basic-server.js";
import { ServerHarness } from "./support/server-harness.js";
import { VirtualEnvironment } from "./support/virtual-environment.js";

const auth = (token: string) => ({ type: "auth", correlation_id: "a", data: { token } });

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

  test("[HS15] a refused credential is answered with HTTP 401, before the upgrade", async () => {
    const { harness, server } = basicServer(withCookie);
    expect(await harness.refused({ headers: { authorization: "Bearer wrong" } })).toBe(401);
    expect(await harness.refused({ url: "/ws?token=wrong" })).toBe(401);
    expect(
      await harness.refused({ headers: { cookie: "sid=wrong", host: "localhost", origin: "http://localhost" } }),
    ).toBe(401);
    expect(server.stats().connections).toMatchObject({ total: 0, failed: 3 });
  });

  test("[HS16] `?token=` is ignored unless `queryToken` is set", async () => {
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
    ["a longer name that starts with a listed name", "https://app.example.com.evil.io"],
    ["another port", "https://app.example.com:8443"],
    ["a page with an opaque origin", "null"],
    ["no origin at all", undefined],
  ])("[HS18] a cookie is refused with HTTP 403 from %s", async (_, origin) => {
    const { harness } = basicServer(withCookie);
    expect(await harness.refused({ headers: { ...cookie, ...(origin !== undefined && { origin }) } })).toBe(403);
  });

  test("[HS19] a cookie of another name is not a credential", async () => {
    const { harness } = basicServer({ authenticate, credentials: { cookie: "sid" } });
    const peer = await harness.connect({ headers: { cookie: "tracking=1", origin: "https://evil.example" } });
    expect(peer.received).toEqual([]);
  });

  test("[HS24] `origins` applies to every browser page, whatever its credential, and not to other clients", async () => {
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
    ["a page with an opaque origin", "null", {}],
    ["a page of this origin", "https://api.example.com", { sid: "ada" }],
    ["a page of a listed origin", "https://app.example.com", { sid: "ada" }],
  ])("[HS31] the cookies that authenticate receives from %s are %s", async (_, origin, cookies) => {
    const seen: unknown[] = [];
    const environment = new VirtualEnvironment();
    // Only the last case passes a list of origins. Without a list any page may connect, but
    // authenticate receives only the cookies of a page of the same origin.
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

  test("authenticate receives the source of the credential, all cookies and all headers", async () => {
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

  test("[HS20] are validated and converted before handlers receive them", async () => {
    const peer = await start().connect({ url: "/ws?sessionId=7c1f0a3e-6b1d-4f7e-9a53-0d5c2b8f4e11&since=12" });
    await peer.send({ type: "request", correlation_id: "1", data: { name: "whoami" } });
    expect(peer.last("response").data).toEqual({
      ok: true,
      output: { sessionId: "7c1f0a3e-6b1d-4f7e-9a53-0d5c2b8f4e11", since: 12 },
    });
  });

  test("[HS32] a credential in the query is not a parameter, even if the schema is strict", async () => {
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
  ])("[HS21] %s is closed with 1008 and a reason that names %s", async (url, name) => {
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
  ])("[HS22] if the client offers %s, the server chooses %s", async (offered, chosen) => {
    const { harness } = basicServer();
    const peer = await harness.connect({ headers: offered === undefined ? {} : { "sec-websocket-protocol": offered } });
    expect(peer.socket.subprotocol).toBe(chosen);
    expect(peer.of("connected")).toHaveLength(1);
  });

  test("[HS23] a client that offers only unknown subprotocols is closed with 4406, because a browser can read the close code", async () => {
    const { harness } = basicServer();
    const peer = await harness.connect({ headers: { "sec-websocket-protocol": "holdfast.v9.json" } });
    expect(peer.socket.subprotocol).toBe("holdfast.v9.json");
    expect(peer.closed).toEqual({ code: 4406, reason: expect.stringContaining("holdfast.v1.json") });
  });
});
