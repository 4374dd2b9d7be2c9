import type { Clock } from "./clock.js";

/** One socket for one attempt, as the connection uses it. */
export interface Socket {
  send(frame: string): void;
  /** Ends it. Nothing is reported any more, not even the end. */
  close(code: number, reason: string): void;
}

export interface SocketListener {
  open(): void;
  message(frame: string | Uint8Array): void;
  /** Once, when the other side or the network ended it, or it could not be opened. */
  end(end: SocketEnd): void;
}

export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
  /** What an HTTP refusal asked for. Only `ws` shows it. Milliseconds. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

export interface SocketTarget {
  readonly url: string;
  /** Offered to the server in this order. */
  readonly subprotocols: readonly string[];
  /** @default the global one in browsers and React Native, `ws` in Node */
  readonly WebSocket?: WebSocketConstructor | undefined;
}

export type OpenSocket = (target: SocketTarget, listener: SocketListener, clock: Clock) => Socket;

/** Any WebSocket class: the platform's, that of `ws`, or a mock's. */
export type WebSocketConstructor = new (
  url: string,
  protocols?: string | string[],
) => { readonly readyState: number; send(data: string): void; close(code?: number, reason?: string): void };
