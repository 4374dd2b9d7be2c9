import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { WebSocket as RealWebSocket, WebSocketServer } from "ws";
import { systemEnvironment } from "../environment.js";
import type { SocketEnd, WebSocketConstructor } from "../socket-contract.js";
import { openSocket } from "./socket.js";

/**
 * A WebSocket class in memory. Events fire only when a test fires them, and `send` throws before
 * `open`, as a browser's `send` does.
 */
class FakeWebSocket extends EventTarget {
  static made: FakeWebSocket[] = [];
  readyState = 0;
  binaryType = "blob";
  readonly sent: string[] = [];
  readonly closes: unknown[][] = [];
  readonly given: unknown[];
  constructor(...given: unknown[]) {
    super();
    this.given = given;
    FakeWebSocket.made.push(this);
  }
  send(data: string): void {
    if (this.readyState === 0) throw new Error("InvalidStateError");
    this.sent.push(data);
  }
  close(...args: unknown[]): void {
    this.closes.push(args);
    this.readyState = 2;
  }
  fire(type: string, event: object = {}): void {
    if (type === "open") this.readyState = 1;
    if (type === "close") this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event(type), event));
  }
}

beforeEach(() => {
  FakeWebSocket.made = [];
});
afterEach(() => vi.unstubAllGlobals());

function open(given: unknown, url = "wss://example.com/ws") {
  const heard: unknown[] = [];
  const ends: SocketEnd[] = [];
  const socket = openSocket(
    { url, subprotocols: ["holdfast.v1.json", "holdfast.v1.auth"], WebSocket: given as WebSocketConstructor },
    { open: () => heard.push("open"), message: (frame) => heard.push(frame), end: (end) => ends.push(end) },
    systemEnvironment.clock,
  );
  return { socket, heard, ends };
}

/** Opens a socket and waits until the fake WebSocket has been constructed. */
async function openFake() {
  const attempt = open(FakeWebSocket);
  await Promise.resolve();
  return { ...attempt, raw: FakeWebSocket.made[0]! };
}

describe("The socket of a page's production build", () => {
  test("[CN21] openSocket() passes only the url and the subprotocols to the class that is passed, or to the page's current WebSocket", async () => {
    vi.stubGlobal("WebSocket", class extends FakeWebSocket {});
    open(FakeWebSocket);
    open(undefined);
    vi.stubGlobal("WebSocket", FakeWebSocket);
    await Promise.resolve();
    expect(FakeWebSocket.made.map(({ constructor }) => constructor)).toEqual([FakeWebSocket, FakeWebSocket]);
    const given = ["wss://example.com/ws", ["holdfast.v1.json", "holdfast.v1.auth"]];
    expect(FakeWebSocket.made.map((made) => made.given)).toEqual([given, given]);
  });

  test("[CN21] if the class throws or is missing, the attempt ends asynchronously with the error as `cause`, and no rejection is unhandled", async () => {
    const cause = new SyntaxError("The URL is invalid.");
    const throwing = open(
      class {
        constructor() {
          throw cause;
        }
      },
    );
    vi.stubGlobal("WebSocket", undefined);
    const none = open(undefined);
    expect([throwing.ends, none.ends]).toEqual([[], []]);
    await vi.waitFor(() => expect(none.ends).toHaveLength(1));
    expect(throwing.ends).toEqual([{ code: 1006, reason: "", cause }]);
    expect(none.ends).toEqual([{ code: 1006, reason: "", cause: expect.any(TypeError) }]);
  });

  test("[RC18] if close() is called in the turn of openSocket(), no WebSocket is constructed", async () => {
    const { socket, ends } = open(FakeWebSocket);
    socket.close(1000, "");
    await new Promise((resolve) => setImmediate(resolve));
    expect([FakeWebSocket.made, ends]).toEqual([[], []]);
  });

  test("[CN21] a frame that is sent before the socket is open or after close() does not reach the class", async () => {
    const { socket, raw } = await openFake();
    socket.send("too early");
    raw.fire("open");
    socket.send("auth");
    socket.close(1000, "");
    socket.send("too late");
    expect(raw.sent).toEqual(["auth"]);
  });

  test("[CN21] text arrives unchanged and binary frames as bytes, never as a Blob", async () => {
    const { raw, heard } = await openFake();
    expect(raw.binaryType).toBe("arraybuffer");
    raw.fire("open");
    raw.fire("message", { data: "text" });
    raw.fire("message", { data: new Uint8Array([1, 2]).buffer });
    expect(heard).toEqual(["open", "text", new Uint8Array([1, 2])]);
  });

  test("[CN21] the end of the socket is reported once, with the code and reason of the first `close` event", async () => {
    const { raw, ends, socket } = await openFake();
    raw.fire("error");
    raw.fire("close", { code: 4429, reason: '{"retryAfterMs":600}' });
    raw.fire("close", { code: 1006, reason: "" });
    socket.close(1000, "");
    expect(ends).toEqual([{ code: 4429, reason: '{"retryAfterMs":600}' }]);
    expect(raw.closes).toEqual([]);
  });

  test("[RC18] after close() the socket reports nothing", async () => {
    const { raw, socket, heard, ends } = await openFake();
    socket.close(4406, "another protocol");
    raw.fire("open");
    raw.fire("message", { data: "late" });
    raw.fire("close", { code: 1000, reason: "" });
    expect({ heard, ends, closes: raw.closes }).toEqual({ heard: [], ends: [], closes: [[4406, "another protocol"]] });
  });

  test("[CN21] with a real server, text is sent both ways, an offered subprotocol is chosen, and the server's close code is reported", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: ([first]) => first! });
    await once(server, "listening");
    server.on("connection", (peer) => {
      peer.send(peer.protocol);
      peer.on("message", (data: Buffer) => peer.close(4401, data.toString()));
    });
    const { socket, heard, ends } = open(RealWebSocket, `ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await vi.waitFor(() => expect(heard).toEqual(["open", "holdfast.v1.json"]));
    socket.send("expired");
    await vi.waitFor(() => expect(ends).toEqual([{ code: 4401, reason: "expired" }]));
    server.close();
  });
});
