import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import { systemEnvironment } from "./environment.js";
import { openSocket } from "./socket.js";
import type { Socket, SocketEnd, WebSocketConstructor } from "./socket-contract.js";

/**
 * The defects of reconnecting-websocket (D1 to D13), and how the client is protected from each.
 * Tests use real servers if the network matters and a fake WebSocket class if time matters.
 */

const cleanups: (() => unknown)[] = [];
const unhandled: unknown[] = [];
const note = (fault: unknown): void => void unhandled.push(fault);
process.on("unhandledRejection", note);
process.on("uncaughtExceptionMonitor", note);

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  // Thrown and not asserted, because any test of this file may have caused the fault.
  for (const fault of unhandled.splice(0)) throw fault;
});

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Starts a real WebSocket server that counts its connections. */
async function realServer(answer: RequestListener = (_, response) => response.end()) {
  const server = createServer(answer);
  const sockets = new WebSocketServer({ server, handleProtocols: ([first]) => first! });
  const seen = { connections: 0, upgrades: 0, messages: [] as string[] };
  server.on("upgrade", () => seen.upgrades++);
  sockets.on("connection", (socket) => {
    seen.connections++;
    socket.on("message", (data: Buffer) => seen.messages.push(data.toString()));
  });
  cleanups.push(() => sockets.close());
  cleanups.push(() => sockets.clients.forEach((socket) => socket.terminate()));
  return { url: await listen(server), sockets, seen };
}

/** Starts a server that answers every upgrade with an HTTP refusal. */
async function refusingServer(status: number, headers = ""): Promise<string> {
  const server = createServer();
  server.on("upgrade", (_, socket) => socket.end(`HTTP/1.1 ${status} Refused\r\n${headers}Connection: close\r\n\r\n`));
  return listen(server);
}

interface Watch {
  readonly socket: Socket;
  readonly ends: SocketEnd[];
  readonly messages: (string | Uint8Array)[];
  readonly opens: unknown[];
  readonly opened: Promise<void>;
  readonly ended: Promise<SocketEnd>;
}

function open(url: string, WebSocket?: WebSocketConstructor): Watch {
  const ends: SocketEnd[] = [];
  const messages: (string | Uint8Array)[] = [];
  const opens: unknown[] = [];
  const opened = withResolvers<void>();
  const ended = withResolvers<SocketEnd>();
  const socket = openSocket(
    { url, subprotocols: ["holdfast.v1.json", "holdfast.v1.auth"], WebSocket },
    {
      open() {
        opens.push("open");
        opened.resolve();
      },
      message: (frame) => messages.push(frame),
      end(end) {
        ends.push(end);
        ended.resolve(end);
      },
    },
    systemEnvironment.clock,
  );
  cleanups.push(() => socket.close(1000, ""));
  return { socket, ends, messages, opens, opened: opened.promise, ended: ended.promise };
}

function withResolvers<Value>() {
  let resolve!: (value: Value) => void;
  const promise = new Promise<Value>((settle) => (resolve = settle));
  return { promise, resolve };
}

/** Runs due timers and one round of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const turns = async (count: number): Promise<void> => {
  for (let index = 0; index < count; index++) await turn();
};

/** A WebSocket class in memory. Events fire only when a test fires them. */
function fakeWebSocket() {
  const made: FakeWebSocket[] = [];
  class FakeWebSocket {
    static readonly [key: string]: unknown;
    readyState = 0;
    binaryType = "blob";
    readonly sent: string[] = [];
    readonly closes: unknown[][] = [];
    readonly #listeners = new Map<string, Set<(event: object) => void>>();
    constructor(
      readonly url: string,
      readonly protocols?: string | string[],
      ...more: unknown[]
    ) {
      made.push(this);
      expect(more).toEqual([]);
    }
    addEventListener(type: string, listener: (event: object) => void): void {
      this.#listeners.set(type, (this.#listeners.get(type) ?? new Set()).add(listener));
    }
    removeEventListener(type: string, listener: (event: object) => void): void {
      this.#listeners.get(type)?.delete(listener);
    }
    send(data: string): void {
      this.sent.push(data);
    }
    close(...args: unknown[]): void {
      this.closes.push(args);
      this.readyState = 2;
    }
    fire(type: string, event: object = {}): void {
      if (type === "open") this.readyState = 1;
      if (type === "close") this.readyState = 3;
      for (const listener of [...(this.#listeners.get(type) ?? [])]) listener({ type, ...event });
    }
  }
  return { made, FakeWebSocket: FakeWebSocket as unknown as WebSocketConstructor };
}

/** Starts one attempt on a fake WebSocket, under virtual time. */
async function openFake() {
  vi.useFakeTimers();
  const { made, FakeWebSocket } = fakeWebSocket();
  const watch = open("ws://localhost/ws", FakeWebSocket);
  await vi.advanceTimersByTimeAsync(0);
  return { ...watch, raw: made[0]!, made };
}

describe("An attempt", () => {
  test("text is sent both ways under an offered subprotocol", async () => {
    const { url, sockets, seen } = await realServer();
    const client = open(url);
    await client.opened;
    const [peer] = sockets.clients;
    expect(peer!.protocol).toBe("holdfast.v1.json");
    client.socket.send("hello");
    await once(peer!, "message");
    expect(seen.messages).toEqual(["hello"]);
    peer!.send("welcome");
    await vi.waitUntil(() => client.messages.length > 0);
    expect(client.messages).toEqual(["welcome"]);
  });

  test("close() sends its code and reason, and reports nothing", async () => {
    const { url, sockets } = await realServer();
    const client = open(url);
    await client.opened;
    const closed = once([...sockets.clients][0]!, "close");
    client.socket.close(4406, "another protocol");
    const [code, reason] = (await closed) as [number, Buffer];
    expect([code, String(reason)]).toEqual([4406, "another protocol"]);
    await turns(5);
    expect(client.ends).toEqual([]);
  });

  test("in Node `ws` opens the socket, even if a global class exists; the option has priority over both", async () => {
    const { made, FakeWebSocket } = fakeWebSocket();
    vi.stubGlobal("WebSocket", FakeWebSocket);
    const { url, seen } = await realServer();
    await open(url).opened;
    expect(seen.connections).toBe(1);
    expect(made).toEqual([]);
    open("ws://localhost/ws", FakeWebSocket);
    await vi.waitUntil(() => made.length === 1);
  });

  test("on a page the current global class opens the socket, so a later mock or polyfill is used", async () => {
    vi.useFakeTimers();
    vi.stubGlobal("document", { visibilityState: "visible" });
    for (let round = 0; round < 2; round++) {
      const { made, FakeWebSocket } = fakeWebSocket();
      vi.stubGlobal("WebSocket", FakeWebSocket);
      open("ws://localhost/ws");
      await vi.advanceTimersByTimeAsync(0);
      expect(made).toHaveLength(1);
    }
  });
});

describe("Defects that the client avoids", () => {
  test("[D1] if the WebSocket class throws, the attempt ends with the exception as `cause`, no rejection is unhandled, and the next attempt works", async () => {
    const cause = new SyntaxError("The URL is invalid.");
    class Throwing {
      constructor() {
        throw cause;
      }
    }
    const end = await open("ws://localhost/ws", Throwing as unknown as WebSocketConstructor).ended;
    expect(end).toMatchObject({ code: 1006, cause });
    const { url } = await realServer();
    await open(url).opened;
  });

  test("[D1] a missing WebSocket class ends the attempt with a cause that names the option", async () => {
    const end = await open("ws://localhost/ws", {} as WebSocketConstructor).ended;
    expect(end).toMatchObject({ code: 1006, cause: { message: expect.stringContaining("WebSocket") } });
  });

  test("[D2] close() in the turn of the call opens no socket and does not prevent the next attempt", async () => {
    const { url, seen } = await realServer();
    const first = open(url);
    first.socket.close(1000, "");
    await open(url).opened;
    expect(seen.upgrades).toBe(1);
    expect(first.ends).toEqual([]);
  });

  test("[D3] close() while a server does not answer the upgrade of `ws` causes no uncaught exception", async () => {
    let reached = (): void => undefined;
    const arrived = new Promise<void>((resolve) => (reached = resolve));
    const hole = createTcpServer((socket) => {
      cleanups.push(() => socket.destroy());
      socket.on("error", () => undefined);
      socket.once("data", reached);
    });
    const client = open(await listen(hole));
    await arrived;
    client.socket.close(4408, "connect timeout");
    await turns(20);
    expect(client.ends).toEqual([]);
  });

  test("[D4] a refused port ends once, with 1006 and the cause", async () => {
    const server = createServer();
    const url = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const client = open(url);
    expect(await client.ended).toMatchObject({ code: 1006, cause: { code: "ECONNREFUSED" } });
    await turns(20);
    expect(client.ends).toHaveLength(1);
  });

  test.each([
    [401, "", 4401, undefined],
    [403, "", 4403, undefined],
    [429, "Retry-After: 2\r\n", 4429, 2_000],
    [503, "Retry-After: 0\r\n", 1013, 0],
    [503, "Retry-After: Fri, 01 Jan 2027 00:00:00 GMT\r\n", 1013, undefined],
    [500, "", 1006, undefined],
  ])(
    "[RC17] [D4] an upgrade refused with HTTP %i (%j) ends once, with %i",
    async (status, headers, code, retryAfterMs) => {
      const client = open(await refusingServer(status, headers));
      expect(await client.ended).toEqual({
        code,
        reason: expect.stringContaining(`HTTP ${status}`) as unknown,
        retryAfterMs,
      });
      await turns(20);
      expect(client.ends).toHaveLength(1);
    },
  );

  test("[D4] if a server refuses an upgrade but never finishes the response, the client closes the connection", async () => {
    const server = createServer();
    const gone = new Promise((resolve) =>
      server.on("upgrade", (_, socket) => {
        cleanups.push(() => socket.destroy());
        // The peer's end arrives as `end`, or as an error if bytes were in transit.
        socket.on("end", resolve).on("error", resolve).resume();
        socket.write("HTTP/1.1 503 Refused\r\nContent-Length: 1000\r\n\r\nand then no more");
      }),
    );
    const client = open(await listen(server));
    expect(await client.ended).toMatchObject({ code: 1013 });
    await gone;
  });

  test("[D4] the real code and reason arrive when the server closes", async () => {
    const { url, sockets } = await realServer();
    sockets.on("connection", (socket) => socket.close(4429, '{"retryAfterMs":600}'));
    expect(await open(url).ended).toMatchObject({ code: 4429, reason: '{"retryAfterMs":600}' });
  });

  test("[D4] a cut connection ends with 1006", async () => {
    const { url, sockets } = await realServer();
    const client = open(url);
    await client.opened;
    [...sockets.clients][0]!.terminate();
    expect(await client.ended).toMatchObject({ code: 1006, reason: "" });
  });

  test("[D5] [D8] [D12] after the end no timer is left and nothing is retried", async () => {
    const { raw, made, ends } = await openFake();
    raw.fire("open");
    raw.fire("close", { code: 4401, reason: "expired" });
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(made).toHaveLength(1);
    expect(ends).toEqual([{ code: 4401, reason: "expired" }]);
  });

  test("[D5] close() before or after `open` leaves no timer", async () => {
    for (const until of ["made", "open"]) {
      const { raw, socket } = await openFake();
      if (until === "open") raw.fire("open");
      socket.close(1000, "");
      await vi.advanceTimersByTimeAsync(0);
      expect(vi.getTimerCount()).toBe(0);
      expect(raw.closes).toEqual([[1000, ""]]);
      vi.useRealTimers();
    }
  });

  test("a closed socket reports nothing afterwards", async () => {
    const { raw, socket, opens, messages, ends } = await openFake();
    socket.close(1000, "");
    raw.fire("open");
    raw.fire("message", { data: "late" });
    raw.fire("close", { code: 1000, reason: "" });
    await vi.advanceTimersByTimeAsync(100);
    expect({ opens, messages, ends }).toEqual({ opens: [], messages: [], ends: [] });
  });

  test("`ws` does not wait 30 s for a dead peer's answer to a close", async () => {
    const made: unknown[][] = [];
    class LikeWs {
      readyState = 0;
      constructor(...args: unknown[]) {
        made.push(args);
      }
      terminate(): void {}
      addEventListener(): void {}
      removeEventListener(): void {}
      close(): void {}
      send(): void {}
    }
    open("ws://localhost/ws", LikeWs);
    await vi.waitUntil(() => made.length === 1);
    expect(made).toEqual([["ws://localhost/ws", ["holdfast.v1.json", "holdfast.v1.auth"], { closeTimeout: 3_000 }]]);
  });

  test("[D6] the package's limit of retries never ends an attempt, because a new attempt has a new instance", async () => {
    const { url, sockets, seen } = await realServer();
    sockets.on("connection", (socket) => socket.close(1012));
    for (let attempt = 0; attempt < 5; attempt++) expect((await open(url).ended).code).toBe(1012);
    expect(seen.connections).toBe(5);
  });

  test("[D7] the package delays nothing: the socket opens in the next turn", async () => {
    const { made } = await openFake();
    expect(made).toHaveLength(1);
    expect(Date.now()).toBe(vi.getMockedSystemTime()!.getTime());
  });

  test("[D9] the end is reported once, however often and in whatever order `error` and `close` fire", async () => {
    const { raw, ends } = await openFake();
    raw.fire("error", { message: "bad frame" });
    raw.fire("error");
    raw.fire("close", { code: 1002, reason: "" });
    raw.fire("close", { code: 1006, reason: "" });
    raw.fire("error");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ends).toEqual([{ code: 1002, reason: "bad frame", cause: "bad frame" }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("[D10] a frame that is sent before the socket is open is dropped and not queued", async () => {
    const { raw, socket } = await openFake();
    socket.send("too early");
    raw.fire("open");
    socket.send("auth");
    expect(raw.sent).toEqual(["auth"]);
  });

  test("[D11] binary frames arrive as bytes, on `ws` and on classes whose default is Blob", async () => {
    const { raw } = await openFake();
    expect(raw.binaryType).toBe("arraybuffer");
    vi.useRealTimers();
    const { url, sockets } = await realServer();
    sockets.on("connection", (socket) => socket.send(Buffer.from([1, 2, 3])));
    const client = open(url);
    await vi.waitUntil(() => client.messages.length > 0);
    expect(client.messages).toEqual([new Uint8Array([1, 2, 3])]);
  });

  test("[D13] the package's class is found where CommonJS interop nests it", async () => {
    const { default: real } = await import("reconnecting-websocket");
    vi.doMock("reconnecting-websocket", () => ({ default: { default: real } }));
    vi.resetModules();
    const nested = await import("./socket.js");
    vi.doUnmock("reconnecting-websocket");
    const { made, FakeWebSocket } = fakeWebSocket();
    const target = {
      url: "ws://localhost/ws",
      subprotocols: ["holdfast.v1.json", "holdfast.v1.auth"],
      WebSocket: FakeWebSocket,
    };
    const listener = { open() {}, message() {}, end() {} };
    const socket = nested.openSocket(target, listener, systemEnvironment.clock);
    await expect.poll(() => made.length).toBe(1);
    socket.close(1000, "");
  });
});

describe("A failed handshake that fires `error` but no `close`, as Node 22's own WebSocket does", () => {
  test("ends with 1006 after 50 ms", async () => {
    const { raw, ends } = await openFake();
    raw.fire("error", { message: "Received network error or non-101 status code." });
    await vi.advanceTimersByTimeAsync(49);
    expect(ends).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    const cause = "Received network error or non-101 status code.";
    expect(ends).toEqual([{ code: 1006, reason: cause, cause }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("leaves no timer if close() is called before the 50 ms have passed", async () => {
    const { raw, ends, socket } = await openFake();
    raw.fire("error");
    socket.close(1000, "");
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ends).toEqual([]);
  });
});
