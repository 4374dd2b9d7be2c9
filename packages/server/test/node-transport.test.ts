import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { closeNumber } from "@holdfast/protocol";
import { createServer, type Identity, type ServerOptions } from "@holdfast/server";
import { afterEach, describe, expect, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { closeReason } from "../src/transport/socket.js";
import { agents, authenticate } from "./support/basic-server.js";

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startHttp(): Promise<{ http: HttpServer; port: number }> {
  const http = createHttpServer((_request, response) => response.end("http"));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => new Promise((resolve) => http.close(resolve)));
  return { http, port: (http.address() as AddressInfo).port };
}

function start(options: ServerOptions<typeof agents.definition, Identity | undefined> = {}) {
  const server = createServer(agents, options);
  cleanups.push(() => server.close());
  return server;
}

interface Client {
  ws: WebSocket;
  received: { type: string; [key: string]: unknown }[];
  next(type: string): Promise<{ type: string; [key: string]: unknown }>;
  closed: Promise<{ code: number; reason: string }>;
}

async function open(
  url: string,
  ...options: ConstructorParameters<typeof WebSocket> extends [unknown, ...infer Rest] ? Rest : never
): Promise<Client> {
  const ws = new WebSocket(url, ...options);
  cleanups.push(() => ws.terminate());
  const received: Client["received"] = [];
  const waiting: { type: string; resolve: (message: Client["received"][number]) => void }[] = [];
  ws.on("message", (data: Buffer) => {
    const message = JSON.parse(data.toString()) as Client["received"][number];
    received.push(message);
    for (const waiter of waiting.filter((candidate) => candidate.type === message.type)) {
      waiting.splice(waiting.indexOf(waiter), 1);
      waiter.resolve(message);
    }
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    ws.on("close", (code, reason) => resolve({ code, reason: reason.toString() })),
  );
  await new Promise<void>((resolve, reject) => ws.once("open", resolve).once("error", reject));
  const next = (type: string) => {
    const found = received.find((message) => message.type === type);
    return found
      ? Promise.resolve(found)
      : new Promise<Client["received"][number]>((resolve) => waiting.push({ type, resolve }));
  };
  return { ws, received, next, closed };
}

/** The HTTP status of an upgrade that is refused. */
function statusOf(url: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, { headers });
    ws.on("unexpected-response", (_request, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    ws.on("open", () => reject(new Error("The upgrade was accepted.")));
    ws.on("error", () => {});
  });
}

/** Opens a raw TCP connection, sends the text, and collects the answer. */
async function raw(port: number, text: string): Promise<{ socket: Socket; answer: Promise<string> }> {
  const socket = connect(port, "127.0.0.1");
  cleanups.push(() => void socket.destroy());
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  let answer = "";
  socket.on("data", (data: Buffer) => (answer += data.toString("latin1")));
  socket.on("error", () => {});
  const ended = new Promise<string>((resolve) => socket.on("close", () => resolve(answer)));
  socket.write(text);
  return { socket, answer: ended };
}

describe("a half-open socket", () => {
  test("[SN3] loses its session to a new connection at once, and is cut off within 4 s", async () => {
    const server = start({ authenticate });
    const { port } = await server.listen(0, { host: "127.0.0.1" });
    const auth = (session_id?: string) =>
      JSON.stringify({ type: "auth", data: { token: "token-u1", device_id: "phone", session_id } });
    const old = await open(`ws://127.0.0.1:${port}/ws`);
    old.ws.send(auth());
    const { data } = (await old.next("connected")) as unknown as { data: { session_id: string } };
    // A paused socket never answers a close frame, like a phone without a network.
    (old.ws as unknown as { _socket: Socket })._socket.pause();

    const client = await open(`ws://127.0.0.1:${port}/ws`);
    client.ws.send(auth(data.session_id));
    expect(await client.next("connected")).toMatchObject({ data: { session_id: data.session_id, resumed: true } });
    expect(server.sessions()).toHaveLength(1);
    expect(await server.user("u1").send("announcement", { text: "hello" })).toEqual({
      delivered: ["phone"],
      failed: [],
    });
    expect(await client.next("event")).toMatchObject({ data: { text: "hello" } });
    await vi.waitFor(() => expect(server.stats().connections.active).toBe(1), { timeout: 4_000, interval: 50 });
    expect(server.sessions()[0]?.isConnected).toBe(true);
  });
});

describe("a device that reconnects many times", () => {
  test("[DV16] after a hundred connections over real sockets, each replacing the previous one, only the last is left", async () => {
    const { http, port } = await startHttp();
    const server = start({ authenticate });
    server.attach(http);
    const auth = JSON.stringify({ type: "auth", data: { token: "token-u1", device_id: "phone" } });
    const connect = async (): Promise<Client> => {
      const client = await open(`ws://127.0.0.1:${port}/ws`);
      client.ws.send(auth);
      await client.next("connected");
      return client;
    };
    let last = await connect();
    for (let count = 0; count < 100; count++) {
      const next = await connect();
      expect((await last.closed).code).toBe(closeNumber.REPLACED);
      last = next;
    }
    expect(server.stats()).toMatchObject({ sessions: { active: 1, away: 0 }, users: { active: 1 } });
    const sockets = () => new Promise<number>((resolve) => http.getConnections((_, count) => resolve(count)));
    const left = async () => [await sockets(), server.stats().connections.active];
    await vi.waitFor(async () => expect(await left()).toEqual([1, 1]), { timeout: 4_000, interval: 20 });
    expect(server.stats().connections.total).toBe(101);
    // A hundred handshakes one after the other: 2.5 s on two busy cores.
  }, 20_000);
});

describe("attach", () => {
  test("[TR1] serves the path of the server and leaves plain HTTP requests to the application", async () => {
    const { http, port } = await startHttp();
    start().attach(http);
    const client = await open(`ws://127.0.0.1:${port}/ws?a=1`);
    await client.next("connected");
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("http");
  });

  test("[TR2] leaves upgrades on other paths to other listeners", async () => {
    const { http, port } = await startHttp();
    const other = new WebSocketServer({ noServer: true });
    http.on("upgrade", (request, socket, head) => {
      if (request.url === "/other")
        other.handleUpgrade(request, socket, head, (ws) => ws.send(JSON.stringify({ type: "theirs" })));
    });
    start().attach(http);
    expect(await (await open(`ws://127.0.0.1:${port}/other`)).next("theirs")).toEqual({ type: "theirs" });
    expect(await (await open(`ws://127.0.0.1:${port}/ws`)).next("connected")).toMatchObject({ type: "connected" });
  });

  test("[TR3] answers 404 if no server serves the path and the HTTP server has no other upgrade listener", async () => {
    const { http, port } = await startHttp();
    start().attach(http);
    expect(await statusOf(`ws://127.0.0.1:${port}/nothing`)).toBe(404);
  });

  test("[TR4] two servers share one http server, each on its own path, and a path that is taken is refused", async () => {
    const { http, port } = await startHttp();
    const [one, two] = [start(), start()];
    one.attach(http, { path: "/one" });
    const detach = two.attach(http, { path: "/two" });
    expect(() => two.attach(http, { path: "/one" })).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", field: "path" }),
    );
    expect(() => two.attach(http, { path: "three" })).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", field: "path" }),
    );
    await (await open(`ws://127.0.0.1:${port}/one`)).next("connected");
    await (await open(`ws://127.0.0.1:${port}/two`)).next("connected");
    expect([one.stats().connections.total, two.stats().connections.total]).toEqual([1, 1]);
    detach();
    expect(await statusOf(`ws://127.0.0.1:${port}/two`)).toBe(404);
    await (await open(`ws://127.0.0.1:${port}/one`)).next("connected");
  });

  test("[TR5] close detaches from the http server, which keeps running", async () => {
    const { http, port } = await startHttp();
    const server = start();
    server.attach(http);
    const client = await open(`ws://127.0.0.1:${port}/ws`);
    await server.close();
    expect((await client.closed).code).toBe(1001);
    expect(http.listenerCount("upgrade")).toBe(0);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("http");
  });
});

describe("listen", () => {
  test("[TR6] takes a free port if the port is 0, returns the URL, and answers a plain HTTP request with 426", async () => {
    const listening = await start().listen(0, { path: "/live", host: "127.0.0.1" });
    expect(listening.url).toBe(`ws://127.0.0.1:${listening.port}/live`);
    await (await open(listening.url)).next("connected");
    expect((await fetch(listening.url.replace("ws:", "http:"))).status).toBe(426);
  });

  test("[TR18] close also ends connections that never sent a complete request", async () => {
    const server = start();
    const { port } = await server.listen(0, { host: "127.0.0.1" });
    const [silent, slow] = [await raw(port, ""), await raw(port, "GET /ws HTTP/1.1\r\nHost: ")];
    // When a later connection has been served, both connections have been accepted.
    await fetch(`http://127.0.0.1:${port}/`);
    const client = await open(`ws://127.0.0.1:${port}/ws`);
    await client.next("connected");
    await server.close();
    // The WebSocket connection receives the close code.
    expect((await client.closed).code).toBe(closeNumber.GOING_AWAY);
    expect(await Promise.all([silent.answer, slow.answer])).toEqual(["", ""]);
  });

  test("[TR19] if the server is closed while listen is pending, listen rejects and no port stays open", async () => {
    const server = start();
    const listening = server.listen(0, { host: "127.0.0.1" });
    await server.close();
    await expect(listening).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(server.listen(0)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  test("[TR7] rejects with EADDRINUSE if the port is taken", async () => {
    const { port } = await start().listen(0, { host: "127.0.0.1" });
    await expect(start().listen(port, { host: "127.0.0.1" })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});

describe("the upgrade", () => {
  test("[TR8] a refused credential is answered with HTTP 401 and a challenge", async () => {
    const { url, port } = await start({ authenticate, credentials: { queryToken: true } }).listen(0, {
      host: "127.0.0.1",
    });
    expect(await statusOf(`${url}?token=wrong`)).toBe(401);
    const { answer } = await raw(
      port,
      "GET /ws?token=wrong HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    expect(await answer).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n[^]*WWW-Authenticate: Bearer/);
  });

  test("[TR9] an upgrade whose authenticate takes longer than `authTimeoutMs` is refused", async () => {
    const server = start({ authenticate: () => new Promise<{ userId: string }>(() => {}), authTimeoutMs: 50 });
    const { url } = await server.listen(0, { host: "127.0.0.1" });
    expect([401, 503]).toContain(await statusOf(url, { Authorization: "Bearer t" }));
  });

  test.each(["listen", "attach"])(
    "[CL6] an upgrade whose authenticate is pending is closed with 1001 as soon as the server closes (%s)",
    async (how) => {
      let asked: (() => void) | undefined;
      const isAsked = new Promise<void>((resolve) => (asked = resolve));
      const authenticate = (): Promise<{ userId: string }> => {
        asked!();
        return new Promise(() => {});
      };
      const server = start({ authenticate });
      const { http, port } = await startHttp();
      if (how === "attach") server.attach(http);
      const url = how === "attach" ? `ws://127.0.0.1:${port}/ws` : (await server.listen(0, { host: "127.0.0.1" })).url;
      const opening = open(url, [], { headers: { Authorization: "Bearer t" } });
      await isAsked;
      const begun = performance.now();
      await server.close();
      expect((await (await opening).closed).code).toBe(1001);
      expect(performance.now() - begun).toBeLessThan(1_000);
    },
  );

  test("[TR10] if the peer disconnects while authenticate runs, no connection is left", async () => {
    let decide: (() => void) | undefined;
    const asked = new Promise<void>((resolve) => (decide = resolve));
    let answer: ((identity: { userId: string }) => void) | undefined;
    const server = start({
      authenticate: () => {
        decide!();
        return new Promise<{ userId: string }>((resolve) => (answer = resolve));
      },
    });
    const { port } = await server.listen(0, { host: "127.0.0.1" });
    const { socket } = await raw(
      port,
      "GET /ws HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    await asked;
    socket.resetAndDestroy();
    await new Promise<void>((resolve) => socket.once("close", () => resolve()));
    answer!({ userId: "u" });
    // Either the reset or the answer may come first. Only the final state is checked.
    for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
    await vi.waitFor(() => expect(server.stats().connections.active).toBe(0));
  });

  test("[TR20] an upgrade that another listener has already handled is left alone and logged", async () => {
    const { http, port } = await startHttp();
    const other = new WebSocketServer({ server: http });
    other.on("connection", (ws) => ws.send(JSON.stringify({ type: "theirs" })));
    const error = vi.fn();
    start({ logger: { debug() {}, info() {}, warn() {}, error } }).attach(http);
    const client = await open(`ws://127.0.0.1:${port}/ws`);
    await client.next("theirs");
    await vi.waitFor(() => expect(error).toHaveBeenCalledWith({ err: expect.any(Error) }, expect.any(String)));
    client.ws.close();
    expect((await client.closed).code).toBe(1005);
  });

  test("[TR11] accepts no compression and names the chosen subprotocol", async () => {
    const { url } = await start().listen(0, { host: "127.0.0.1" });
    const client = await open(url, ["other", "holdfast.v1.json"], { perMessageDeflate: true });
    expect(client.ws.protocol).toBe("holdfast.v1.json");
    expect(client.ws.extensions).toBe("");
  });

  test("[TR21] an upgrade of a draft version of WebSocket is refused with HTTP 400", async () => {
    const { port } = await start().listen(0, { host: "127.0.0.1" });
    const { answer } = await raw(
      port,
      "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n",
    );
    expect(await answer).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe("a peer that has not authenticated", () => {
  const upgrade =
    "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  /** The code of the close frame at the end of the received bytes. Its reason must be ASCII. */
  const closeCode = (bytes: string): number =>
    Buffer.from(bytes.slice(bytes.lastIndexOf("\x88") + 2), "latin1").readUInt16BE();

  test("[HS9] eight WebSocket pings are answered, and the ninth closes the connection with 4400", async () => {
    const { url } = await start({ authenticate }).listen(0, { host: "127.0.0.1" });
    const client = await open(url);
    let pongs = 0;
    client.ws.on("pong", () => pongs++);
    for (let index = 0; index < 8; index++) client.ws.ping();
    await vi.waitFor(() => expect(pongs).toBe(8));
    client.ws.ping();
    expect((await client.closed).code).toBe(4400);
  });

  test("[HS9] an unfinished message closes the connection with 4400, even if `messageBytes` allows larger messages", async () => {
    const { port } = await start({ authenticate, limits: { messageBytes: 10_000_000 } }).listen(0, {
      host: "127.0.0.1",
    });
    const { socket, answer } = await raw(port, upgrade);
    await new Promise((resolve) => socket.once("data", resolve));
    socket.write(Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0x50, 0, 0, 0, 0, 0, 0]));
    socket.write(Buffer.alloc(100_000));
    expect(closeCode(await answer)).toBe(4400);
  });

  test("[HS9] an unfinished message that arrives byte by byte closes the connection with 4400", async () => {
    const { port } = await start({ authenticate }).listen(0, { host: "127.0.0.1" });
    const { socket, answer } = await raw(port, upgrade);
    socket.setNoDelay();
    await new Promise((resolve) => socket.once("data", resolve));
    socket.write(Buffer.from([0x81, 0xfe, 0xff, 0, 0, 0, 0, 0]));
    for (let crumb = 0; crumb < 2_000 && socket.writable; crumb++) {
      socket.write("x");
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(closeCode(await answer)).toBe(4400);
  });

  test("[HS9] frames after the limit are not processed", async () => {
    const server = start({ authenticate });
    const { port } = await server.listen(0, { host: "127.0.0.1" });
    const { socket, answer } = await raw(port, upgrade);
    await new Promise((resolve) => socket.once("data", resolve));
    const ping = Buffer.from([0x81, 0x8f, 0, 0, 0, 0, ...Buffer.from('{"type":"ping"}')]);
    socket.write(Buffer.concat(Array.from({ length: 3_000 }, () => ping)));
    expect(closeCode(await answer)).toBe(4400);
    expect(server.stats().messages.received).toBeLessThan(200);
  });

  test("[HS4] messages that follow auth in the same bytes are all processed after authentication", async () => {
    const server = start({ authenticate });
    server.handle("agent.slow", () => "done");
    const { port } = await server.listen(0, { host: "127.0.0.1" });
    const { socket } = await raw(port, upgrade);
    await new Promise((resolve) => socket.once("data", resolve));
    const frame = (message: object): Buffer => {
      const text = Buffer.from(JSON.stringify(message));
      return Buffer.concat([Buffer.from([0x81, 0xfe, text.length >> 8, text.length & 255, 0, 0, 0, 0]), text]);
    };
    let answer = "";
    socket.on("data", (data: Buffer) => (answer += data.toString("latin1")));
    // The bytes arrive in several chunks, and no chunk ends where a frame ends.
    const requests = Array.from({ length: 60 }, (_, index) =>
      frame({
        type: "request",
        correlation_id: `r${index}`,
        data: { name: "agent.slow" },
        metadata: { note: "x".repeat(200) },
      }),
    );
    socket.write(Buffer.concat([frame({ type: "auth", data: { token: "token-u1" } }), ...requests]));
    await vi.waitFor(() => expect(answer.match(/"correlation_id":"r\d+"[^]*?"done"/g)).toHaveLength(60));
    socket.write(requests[0]!);
    await vi.waitFor(() => expect(answer.match(/"correlation_id":"r\d+"[^]*?"done"/g)).toHaveLength(61));
  });

  test("[HS5] a refused peer is closed with a closing handshake, and its close frame is read", async () => {
    const debug = vi.fn();
    const server = start({ authenticate, logger: { debug, info() {}, warn() {}, error() {} } });
    const { url } = await server.listen(0, { host: "127.0.0.1" });
    const client = await open(url);
    client.ws.send(JSON.stringify({ type: "auth", data: { token: "wrong" } }));
    expect((await client.closed).code).toBe(4401);
    await vi.waitFor(() =>
      expect(debug).toHaveBeenCalledWith(expect.objectContaining({ code: 4401 }), expect.any(String)),
    );
  });
});

describe("frames on a real socket", () => {
  test("[TR12] frames of every length class of RFC 6455 arrive unchanged", async () => {
    const server = start({ limits: { owedBytes: 10_000_000 } });
    const { url } = await server.listen(0, { host: "127.0.0.1" });
    const client = await open(url);
    client.ws.send(JSON.stringify({ type: "subscribe", data: { channels: ["log"] } }));
    await client.next("subscribe_response");
    const lines = [0, 1, 60, 61, 62, 63, 64, 65_000, 65_470, 65_480, 65_490, 200_000].map((length) =>
      "é".repeat(length),
    );
    for (const line of lines) await server.channel("log").publish("line", line);
    client.ws.send(JSON.stringify({ type: "ping" }));
    await client.next("pong");
    expect(client.received.filter((message) => message.type === "event").map((message) => message["data"])).toEqual(
      lines,
    );
  });

  test("[TR13] a frame above the limit closes the connection with 1009", async () => {
    const { url } = await start().listen(0, { host: "127.0.0.1" });
    const client = await open(url);
    client.ws.send("x".repeat(65_537));
    expect((await client.closed).code).toBe(closeNumber.TOO_BIG);
  });

  test("[TR14] a close reason is cut to 123 bytes between characters, even if the reason has a million characters", () => {
    expect(closeReason("🙂".repeat(1_000_000))).toBe("🙂".repeat(30));
    expect(closeReason(`x${"🙂".repeat(60)}`)).toBe(`x${"🙂".repeat(30)}`);
    expect(closeReason("x".repeat(1_000_000))).toBe("x".repeat(123));
  });

  test("[TR14] a close reason of any length and alphabet is cut to the limit of RFC 6455", async () => {
    const server = start();
    const { url } = await server.listen(0, { host: "127.0.0.1" });
    const client = await open(url);
    await client.next("connected");
    server.sessions()[0]!.disconnect({ code: 4900, reason: "ü🙂".repeat(40) });
    const { code, reason } = await client.closed;
    expect(code).toBe(4900);
    expect("ü🙂".repeat(40).startsWith(reason)).toBe(true);
    expect(Buffer.byteLength(reason)).toBeGreaterThan(117);
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
  });
});
