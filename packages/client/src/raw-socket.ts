import type { Cancel } from "@holdfast/protocol";
import type { Clock } from "./clock.js";
import { host } from "./host.js";
import type { SocketEnd, WebSocketConstructor } from "./socket-contract.js";

/**
 * This file chooses the WebSocket class and handles the behaviour of Node's classes that the
 * standard does not cover. A page's production build has neither the choice nor `ws`, so
 * src/page/socket.ts opens its socket.
 */
export type RawConstructor = new (url: string, protocols: readonly string[], options?: object) => RawSocket;

// The members that the client uses. The declarations are here, because the classes' own types
// require DOM or Node types.
export interface RawSocket {
  addEventListener(type: "close", listener: (event: { code?: number; reason?: string }) => void): void;
  addEventListener(type: "error", listener: (event: { error?: unknown; message?: unknown }) => void): void;
  on?(event: "unexpected-response", listener: (request: unknown, response: HttpResponse) => void): void;
}

interface HttpResponse {
  readonly statusCode: number;
  readonly headers: { readonly [name: string]: unknown };
}

/**
 * The HTTP statuses of a refused upgrade, with the close codes that the client uses instead. Any
 * other status counts as an abnormal end (1006), which is retried.
 */
const statusCodes = new Map([
  [401, 4401],
  [403, 4403],
  [429, 4429],
  [503, 1013],
]);

/** The usual cause and the remedy for each status to which the server adds no explanation. */
const hints = new Map([
  [200, ": no WebSocket server at this path; check the path"],
  [404, ": nothing is served at this path; check the path"],
  [421, ": the server refuses this Host header; add the host to its option `hosts`"],
  [426, ": no WebSocket server at this path; check the path"],
]);

/**
 * The text of an error of the system or of `ws`. If a host name has two addresses, both connections
 * fail, and the combined error has no message of its own.
 */
function textOf(cause: unknown): string {
  const { message, code, errors } = (cause ?? {}) as { message?: string; code?: string; errors?: readonly unknown[] };
  return message || errors?.map(textOf).join("; ") || code || (typeof cause === "string" ? cause : "");
}

/**
 * Called for each attempt, so that the client uses a global that a mock or polyfill has replaced
 * since the last attempt.
 */
export function chooseWebSocket(given: WebSocketConstructor | undefined, isomorphic: unknown): RawConstructor {
  const inNode = host.process?.versions?.node !== undefined && host.document === undefined;
  const chosen = given ?? (inNode ? isomorphic : (host.WebSocket ?? isomorphic));
  if (typeof chosen !== "function")
    throw new Error("This platform has no WebSocket. Pass a class as the option `WebSocket`.");
  return chosen as unknown as RawConstructor;
}

export function construct(Chosen: RawConstructor, url: string, protocols: readonly string[]): RawSocket {
  // Only `ws` accepts a third argument. With the default of `ws`, the process would stay alive for
  // 30 s after the client closes the connection to a dead peer.
  return "terminate" in Chosen.prototype
    ? new Chosen(url, protocols, { closeTimeout: 3_000 })
    : new Chosen(url, protocols);
}

/**
 * How long to wait for `close` after `error`. Node 22's own WebSocket fires `error` without `close`
 * if the handshake fails; other classes fire `close` sooner than this.
 */
const CLOSE_GRACE_MS = 50;

type SocketState = { name: "live" } | { name: "failed"; cause: unknown; cancelGrace: Cancel } | { name: "ended" };

/**
 * Calls `end` for each sign that the socket has ended. Returns the function that stops the watch.
 */
export function watchEnd(raw: RawSocket, clock: Clock, end: (end: SocketEnd) => void): Cancel | undefined {
  let state: SocketState = { name: "live" };
  raw.addEventListener("close", ({ code = 1006, reason = "" }) => {
    const cause = state.name === "failed" ? state.cause : undefined;
    end({ code, reason: reason || textOf(cause), cause });
  });
  // This listener is never removed: `ws` throws if there is no `error` listener, and
  // reconnecting-websocket removes its own before it closes.
  raw.addEventListener("error", ({ error, message }) => {
    if (state.name !== "live") return;
    const cause = error ?? message;
    const cancelGrace = clock.after(CLOSE_GRACE_MS, () => end({ code: 1006, reason: textOf(cause), cause }));
    state = { name: "failed", cause, cancelGrace };
  });
  watchRefusal(raw, end);
  return () => {
    if (state.name === "failed") state.cancelGrace();
    state = { name: "ended" };
  };
}

/** Detects an upgrade that the server refused over HTTP. Only `ws` reports such a refusal. */
function watchRefusal(raw: RawSocket, end: (end: SocketEnd) => void): void {
  // A listener of this event must end the request itself. Closing the socket, which `end` does, is
  // enough.
  raw.on?.("unexpected-response", (_, response) => {
    const seconds = Number(response.headers["retry-after"]);
    end({
      code: statusCodes.get(response.statusCode) ?? 1006,
      reason: `HTTP ${response.statusCode}${hints.get(response.statusCode) ?? ""}`,
      retryAfterMs: seconds >= 0 ? seconds * 1_000 : undefined,
    });
  });
}
