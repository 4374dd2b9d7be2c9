import { createServer as createHttpServer } from "node:http";
import { createSecureServer, createServer as createHttp2Server } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { createServer as createNetServer } from "node:net";
import { defineProtocol } from "@holdfast/protocol";
import { afterEach, describe, expect, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import * as z from "zod";
import { createServer } from "../src/create-server.js";
import { agents, basicServer } from "./support/basic-server.js";

const protocol = defineProtocol({
  name: "mistakes",
  version: "1.0.0",
  requests: { say: { input: z.object({ text: z.string() }), output: z.string() } },
  channels: {
    room: { events: { said: z.object({ text: z.string().max(3) }) } },
    board: { document: z.object({ n: z.number() }) },
  },
  direct: { nudge: z.object({ n: z.number() }) },
});

const made: { close(options: { graceMs: number }): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of made.splice(0)) await server.close({ graceMs: 1 });
});

function setUp() {
  const error = vi.fn();
  const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error };
  const server = createServer(protocol, { logger });
  made.push(server);
  return { server, error, logger };
}
type Server = ReturnType<typeof setUp>["server"];

/**
 * Waits until the work of this turn is done, even on a busy machine: timers run before
 * `setImmediate`.
 */
const turn = () => new Promise((resolve) => setTimeout(() => setImmediate(resolve), 20));
const wrong = { n: "1" } as never;

const calls: [call: string, place: object, make: (server: Server) => Promise<unknown>][] = [
  [
    "publish",
    { channel: "room", event: "said", field: "data.text" },
    (server) => server.channel("room").publish("said", { text: "too long" }),
  ],
  ["broadcast", { event: "nudge", field: "data.n" }, (server) => server.broadcast("nudge", wrong)],
  ["send", { user: "u", event: "nudge", field: "data.n" }, (server) => server.user("u").send("nudge", wrong)],
  ["send", { session: "s", event: "nudge", field: "data.n" }, (server) => server.session("s").send("nudge", wrong)],
  ["disconnect", { user: "u", field: "code" }, (server) => server.user("u").disconnect({ code: 7 })],
  ["disconnect", { session: "s", field: "code" }, (server) => server.session("s").disconnect({ code: 7 })],
  ["revoke", { session: "s", field: "reason" }, (server) => server.session("s").revoke({ reason: 7 as never })],
  ["document.set", { channel: "board", field: "document.n" }, (server) => server.channel("board").document.set(wrong)],
  [
    "document.create",
    { channel: "board", field: "document.n" },
    (server) => server.channel("board").document.create(wrong),
  ],
  ["document.update", { channel: "board" }, (server) => server.channel("board").document.update(() => {})],
  [
    "document.delete",
    { channel: "board", field: "reason" },
    (server) => server.channel("board").document.delete({ reason: "x".repeat(300) }),
  ],
  ["issueTicket", { field: "credentials.ticket" }, (server) => server.issueTicket({ userId: "u" } as never)],
  ["listen", { port: 99_999, field: "port" }, (server) => server.listen(99_999)],
];

describe("a call that fails", () => {
  test.each(calls)("[AM1] %s that is not awaited is logged once with %o", async (call, place, make) => {
    const { server, error } = setUp();
    void make(server);
    await turn();
    expect(error).toHaveBeenCalledTimes(1);
    expect(error).toHaveBeenCalledWith(
      expect.objectContaining({ call, ...place, err: expect.any(Error) as unknown }),
      expect.any(String),
    );
  });

  test.each(calls)("[AM2] %s that is awaited rejects and logs nothing (%o)", async (_call, _place, make) => {
    const { server, error } = setUp();
    await expect(make(server)).rejects.toMatchObject({ name: "HoldfastError" });
    await turn();
    expect(error).not.toHaveBeenCalled();
  });

  test("[AM1] without a logger, a failed call that is not awaited becomes a process warning", async () => {
    const server = createServer(protocol);
    made.push(server);
    const warned = new Promise<Error & { detail?: string }>((resolve) => void process.once("warning", resolve));
    void server.channel("room").publish("said", { text: "too long" });
    const warning = await warned;
    expect(warning).toMatchObject({ name: "HoldfastWarning", code: "INVALID_VALUE" });
    expect(warning.detail).toContain('"channel":"room"');
  });
});

/**
 * Values that an application may throw or pass instead of a string. Some of them throw when read.
 */
const circular: Record<string, unknown> = {};
circular["itself"] = circular;
const trap = (): never => {
  throw new Error("trap");
};
const hostile: [what: string, value: unknown][] = [
  ["an object without a prototype", Object.create(null)],
  ["an object whose `toString` throws", { toString: trap }],
  ["a proxy whose traps throw", new Proxy({}, { get: trap, has: trap, getPrototypeOf: trap })],
  ["an error whose `code` throws", Object.defineProperty(new Error("x"), "code", { get: trap })],
  ["an object whose custom inspection throws", { [Symbol.for("nodejs.util.inspect.custom")]: trap, toString: trap }],
  ["a circular object", circular],
  ["a symbol", Symbol("x")],
  ["a bigint", 1n],
  ["undefined", undefined],
];

describe("the report of a call that is not awaited", () => {
  const nextWarning = () => new Promise<Error>((resolve) => void process.once("warning", resolve));

  test.each(hostile)("[AM1] [AM5] reporting does not throw if `update` throws %s", async (_what, value) => {
    for (const logged of [false, true]) {
      const { server, error } = logged ? setUp() : { server: createServer(protocol), error: undefined };
      if (!logged) made.push(server);
      await server.channel("board").document.set({ n: 1 });
      const warned = logged ? undefined : nextWarning();
      void server.channel("board").document.update(() => {
        throw value;
      });
      await turn();
      if (error) expect(error).toHaveBeenCalledTimes(1);
      else expect((await warned)?.name).toBe("HoldfastWarning");
    }
  });

  test.each(hostile.slice(0, -1))("[AM1] [AM5] reporting does not throw if the event is %s", async (_what, value) => {
    const server = createServer(protocol);
    made.push(server);
    for (const make of [
      () => server.channel("room").publish(value as never, { text: "x" } as never),
      () => server.broadcast(value as never, { n: 1 } as never),
      () => server.user("u").send(value as never, { n: 1 } as never),
      () => server.session("s").send(value as never, { n: 1 } as never),
    ]) {
      const warned = nextWarning();
      void make();
      expect((await warned).name).toBe("HoldfastWarning");
    }
  });

  test.each<[call: string, make: (server: Server) => Promise<unknown>]>([
    ["disconnect", (server) => server.user("u").disconnect(null as never)],
    ["disconnect", (server) => server.user("u").disconnect({ code: Symbol("x") as never })],
    ["revoke", (server) => server.session("s").revoke(null as never)],
    ["document.delete", (server) => server.channel("board").document.delete(null as never)],
    ["publish", (server) => server.channel("room").publish("said", { text: "x" }, null as never)],
    ["send", (server) => server.user("u").send("nudge", { n: 1 }, null as never)],
  ])("[AM1] %s with null as options, or an invalid code, rejects and does not throw", async (call, make) => {
    const { server, error } = setUp();
    void make(server);
    await turn();
    expect(error).toHaveBeenCalledWith(expect.objectContaining({ call }), expect.any(String));
  });
});

test.each([null, "SIGTERM", 15])("[AM5] close with %o instead of options closes the server", async (options) => {
  const { server } = setUp();
  await server.close(options as never);
  expect(server.isReady).toBe(false);
});

test("[AM9] use and onSession refuse a value that is not a function, with the field `middleware` or `listener`", () => {
  const { server } = setUp();
  expect(() => server.use(undefined as never)).toThrow(
    expect.objectContaining({ code: "INVALID_OPTION", field: "middleware" }),
  );
  expect(() => server.onSession(undefined as never)).toThrow(
    expect.objectContaining({ code: "INVALID_OPTION", field: "listener" }),
  );
});

describe("functions of the application", () => {
  test("[AM5] if a middleware does not await next(), an error of the handler is logged", async () => {
    const error = vi.fn();
    const { harness, server } = basicServer({ logger: { debug() {}, info() {}, warn() {}, error } });
    server.use(async (_context, next) => {
      void next();
      return undefined;
    });
    server.handle("agent.ping", () => {
      throw new Error("handler");
    });
    const peer = await harness.connect();
    await peer.send({ type: "request", correlation_id: "1", data: { name: "agent.ping" } });
    await turn();
    await harness.advance(10);
    expect(error).toHaveBeenCalledWith(
      expect.objectContaining({ call: "next", request: "agent.ping" }),
      expect.any(String),
    );
  });

  test("[AM5] if the logger throws or rejects, the server keeps working", async () => {
    for (const line of [
      () => {
        throw new Error("disk full");
      },
      () => Promise.reject(new Error("disk full")) as never,
    ]) {
      const server = createServer(protocol, { logger: { debug: line, info: line, warn: line, error: line } });
      made.push(server);
      void server.channel("room").publish("said", { text: "too long" });
      await turn();
      await expect(server.channel("room").publish("said", { text: "ok" })).resolves.toMatchObject({ delivered: 0 });
    }
  });
});

describe("attach and listen", () => {
  test.each<[what: string, given: unknown]>([
    ["nothing", undefined],
    ["a port", 3000],
    ["an Express application", Object.assign(() => {}, { listen() {}, on() {} })],
    ["an object", {}],
    ["a net.Server", createNetServer()],
    ["a WebSocketServer of ws", new WebSocketServer({ noServer: true })],
    ["an HTTP/2 server without TLS, which has no upgrade", createHttp2Server()],
    ["an HTTP/2 server without HTTP/1", createSecureServer({})],
  ])("[AM6] attach refuses %s with a remedy", (_what, given) => {
    const { server } = setUp();
    expect(() => server.attach(given as never)).toThrow(
      expect.objectContaining({
        code: "INVALID_OPTION",
        field: "http",
        remedy: expect.stringContaining("http.createServer(app)") as unknown,
      }),
    );
  });

  test.each([
    ["http", createHttpServer()],
    ["https", createHttpsServer()],
    ["HTTP/2 that also accepts HTTP/1", createSecureServer({ allowHTTP1: true })],
  ])("[AM6] attach accepts a server of %s", (_what, http) => {
    setUp().server.attach(http as never)();
  });

  test.each([
    ["a string", "/ws", "options"],
    ["null", null, "options"],
    ["an array", ["/ws"], "options"],
    ["a Map", new Map([["host", "localhost"]]), "options"],
    ["a Promise", Promise.resolve({ host: "localhost" }), "options"],
    // If the misspelt name were ignored, `listen` would serve every interface.
    ["a misspelt name", { hots: "localhost" }, "hots"],
  ])("[AM6] attach and listen refuse %s as their options", async (_what, given, field) => {
    const { server } = setUp();
    const refusal = { code: "INVALID_OPTION", field };
    for (const options of [given] as never[]) {
      expect(() => server.attach(createHttpServer(), options)).toThrow(expect.objectContaining(refusal));
      await expect(server.listen(0, options)).rejects.toMatchObject(refusal);
    }
  });

  test("[AM6] attach refuses a path that is already attached, even by the same server", () => {
    const { server } = setUp();
    const http = createHttpServer();
    const detach = server.attach(http);
    expect(() => server.attach(http)).toThrow(
      expect.objectContaining({
        code: "INVALID_OPTION",
        field: "path",
      }),
    );
    detach();
    server.attach(http)();
  });

  test("[AM6] attach and listen of a closed server are refused with a remedy that names createServer", async () => {
    const { server } = setUp();
    await server.close();
    const refusal = { code: "UNAVAILABLE", remedy: expect.stringContaining("createServer") as unknown };
    expect(() => server.attach(createHttpServer())).toThrow(expect.objectContaining(refusal));
    await expect(server.listen(0)).rejects.toMatchObject(refusal);
  });

  test("[AM7] listen rejects with the field `port` or `host` and with the system's error code", async () => {
    const { server } = setUp();
    const { port } = await server.listen(0, { host: "127.0.0.1" });
    const taken = await server.listen(port, { host: "127.0.0.1" }).catch((error: unknown) => error);
    expect(taken).toMatchObject({ name: "HoldfastError", code: "EADDRINUSE", field: "port" });
    expect((taken as Error).message).toContain(String(port));
    await expect(server.listen(-1)).rejects.toMatchObject({ code: "ERR_SOCKET_BAD_PORT", field: "port" });
    await expect(server.listen(0, { host: "203.0.113.7" })).rejects.toMatchObject({
      code: "EADDRNOTAVAIL",
      field: "host",
    });
  });
});

describe("an invalid port or host", () => {
  test.each([undefined, null, true, 1n, "", "/tmp/pipe", "3000x", { port: 0 }, [0], Number.NaN, 0.5, 65_536])(
    "[AM7] listen refuses %o as the port",
    async (port) => {
      const { server } = setUp();
      await expect(server.listen(port as never)).rejects.toMatchObject({ code: "ERR_SOCKET_BAD_PORT", field: "port" });
    },
  );

  test("[AM7] listen accepts a port as a string of digits, the form in an environment variable", async () => {
    const { port } = await setUp().server.listen("0" as never, { host: "127.0.0.1" });
    expect(port).toBeGreaterThan(0);
  });

  test.each([5, null, "http://localhost", "no such host"])("[AM7] listen refuses %o as the host", async (host) => {
    const { server } = setUp();
    await expect(server.listen(0, { host: host as never })).rejects.toMatchObject({ field: "host" });
  });
});

describe("an expiresAt in seconds, as in the `exp` of a JWT", () => {
  const identity = { userId: "u", expiresAt: Math.floor(Date.now() / 1_000) + 3_600 };
  const cure = "exp * 1_000";

  test("[HS33] is refused with HTTP 401, and the log names the conversion", async () => {
    const error = vi.fn();
    const logger = { debug() {}, info() {}, warn() {}, error };
    const server = createServer(agents, { authenticate: () => identity, logger });
    made.push(server);
    const { url } = await server.listen(0, { host: "127.0.0.1" });
    const socket = new WebSocket(url, { headers: { authorization: "Bearer x" } });
    const [, response] = await new Promise<[unknown, { statusCode?: number | undefined }]>((resolve) =>
      socket.on("unexpected-response", (...answer) => resolve(answer)),
    );
    socket.on("error", () => {}).terminate();
    expect(response.statusCode).toBe(401);
    expect(error).toHaveBeenCalledWith({ expected: expect.stringContaining(cure) }, expect.any(String));
  });

  test("[HS33] is rejected by issueTicket, which accepts the same time in milliseconds", async () => {
    const server = createServer(agents, { authenticate: () => identity, credentials: { ticket: true } });
    made.push(server);
    await expect(server.issueTicket(identity)).rejects.toMatchObject({
      code: "INVALID_VALUE",
      message: expect.stringContaining(cure) as unknown,
    });
    await expect(server.issueTicket({ ...identity, expiresAt: identity.expiresAt * 1_000 })).resolves.toEqual(
      expect.any(String),
    );
  });
});
