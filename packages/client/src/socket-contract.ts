import type { Clock } from "./clock.js";

/** One socket for one attempt. */
export interface Socket {
  send(frame: string): void;
  /** Closes the socket. The listener is not called again, not even for the end. */
  close(code: number, reason: string): void;
}

export interface SocketListener {
  open(): void;
  message(frame: string | Uint8Array): void;
  /**
   * Called at most once: when the server or the network has ended the connection, or the socket
   * could not be opened. Not called after `close`.
   */
  end(end: SocketEnd): void;
}

export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
  /** The delay that an HTTP refusal asked for. Only `ws` reports this delay. Milliseconds. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

export interface SocketTarget {
  readonly url: string;
  /** Offered to the server in this order. */
  readonly subprotocols: readonly string[];
  /**
   * The WebSocket class.
   * @default the global class in browsers and React Native, `ws` in Node
   */
  readonly WebSocket?: WebSocketConstructor | undefined;
}

export type OpenSocket = (target: SocketTarget, listener: SocketListener, clock: Clock) => Socket;

/** Any WebSocket class: the platform's, the class of `ws`, or a mock. */
export type WebSocketConstructor = new (
  url: string,
  protocols?: string | string[],
) => { readonly readyState: number; send(data: string): void; close(code?: number, reason?: string): void };
