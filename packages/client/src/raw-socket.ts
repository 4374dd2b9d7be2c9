import type { Cancel } from "@holdfast/protocol";
import type { Clock } from "./clock.js";
import { host } from "./host.js";
import type { SocketEnd, WebSocketConstructor } from "./socket-contract.js";

/**
 * Which WebSocket class is used, and what those of Node do beyond what the standard says. A page in
 * production has neither choice nor `ws`: src/page/socket.ts opens its socket.
 */
export type RawConstructor = new (url: string, protocols: readonly string[], options?: object) => RawSocket;

// What is used of each class, declared here: their own types bring in DOM or Node.
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
 * How a refused upgrade reads as a close code. A proxy's other answers are an abnormal end, and so
 * retried.
 */
const statusCodes = new Map([
  [401, 4401],
  [403, 4403],
  [429, 4429],
  [503, 1013],
]);

/**
 * What a refused upgrade mostly means, if the server does not say it in words that a client reads.
 */
const hints = new Map([
  [200, ", which is no WebSocket: check the path"],
  [404, ": nothing is served at this path; check it"],
  [421, ": the server does not answer to this Host; add it to its `hosts`"],
  [426, ", which is no WebSocket: check the path"],
]);

/**
 * Of an error of the system or of `ws`. Two addresses of one name fail with two errors, and no
 * message of their own.
 */
function textOf(cause: unknown): string {
  const { message, code, errors } = (cause ?? {}) as { message?: string; code?: string; errors?: readonly unknown[] };
  return message || errors?.map(textOf).join("; ") || code || (typeof cause === "string" ? cause : "");
}

/**
 * Asked for each attempt, so that a global replaced meanwhile (by a test's mock, a polyfill) is the
 * one that is used.
 */
export function chooseWebSocket(given: WebSocketConstructor | undefined, isomorphic: unknown): RawConstructor {
  const inNode = host.process?.versions?.node !== undefined && host.document === undefined;
  const chosen = given ?? (inNode ? isomorphic : (host.WebSocket ?? isomorphic));
  if (typeof chosen !== "function") throw new Error("There is no WebSocket here; pass one as the option WebSocket.");
  return chosen as unknown as RawConstructor;
}

export function construct(Chosen: RawConstructor, url: string, protocols: readonly string[]): RawSocket {
  // The third argument is for `ws`, which would otherwise keep the process alive for 30 s after
  // closing a dead peer.
  return "terminate" in Chosen.prototype
    ? new Chosen(url, protocols, { closeTimeout: 3_000 })
    : new Chosen(url, protocols);
}

/**
 * Node 22's own WebSocket fires `error` but no `close` for a failed handshake; where `close` comes,
 * it comes sooner.
 */
const CLOSE_GRACE_MS = 50;

type SocketState = { name: "live" } | { name: "failed"; cause: unknown; cancelGrace: Cancel } | { name: "ended" };

/** Calls `end` for each sign that the socket has ended. Returns what stops it. */
export function watchEnd(raw: RawSocket, clock: Clock, end: (end: SocketEnd) => void): Cancel | undefined {
  let state: SocketState = { name: "live" };
  raw.addEventListener("close", ({ code = 1006, reason = "" }) => {
    const cause = state.name === "failed" ? state.cause : undefined;
    end({ code, reason: reason || textOf(cause), cause });
  });
  // Stays for good: `ws` throws without an `error` listener, and the package takes its own off
  // before it closes.
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

/** An upgrade refused over HTTP, which only `ws` shows. */
function watchRefusal(raw: RawSocket, end: (end: SocketEnd) => void): void {
  // Whoever listens to this event has to end the request; closing the socket, which `end` does, is
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
