import type { Batch } from "./frame.js";

/** All that the server knows of a socket. Each transport has one implementation. */
export interface ServerSocket {
  readonly remoteAddress: string;
  /** Bytes written that the network has not taken yet. */
  readonly bufferedBytes: number;
  /** Writes the frames in order. Does nothing on a socket that is closing. */
  write(batch: Batch): void;
  /** Starts the closing handshake; whoever does not answer within a second is terminated. */
  close(code: number, reason: string): void;
  /**
   * The same for a peer that nobody knows: it has a quarter of a second, and hardly more of it is
   * looked at.
   */
  dismiss(code: number, reason: string): void;
  terminate(): void;
  /** No more frames are read until `resume`; those already read may still arrive. */
  pause(): void;
  resume(): void;
}

/** What a socket tells its owner. `onClosed` comes exactly once, and last. */
export interface SocketOwner {
  /**
   * Nobody knows yet who this is. The transport tells what it costs, and hands it out in small
   * pieces.
   */
  readonly isHandshaking: boolean;
  /** Of a peer that nobody knows so many bytes were read at once; their frames follow. */
  onRead(bytes: number): void;
  onFrame(frame: string | Uint8Array): void;
  /** A ping of WebSocket itself, which the transport has answered. */
  onPing(): void;
  onClosed(code: number): void;
}

/** What the server reads of an upgrade request, whatever carried it. */
export interface UpgradeRequest {
  /** Path and query, as in the request line. */
  readonly url: string;
  /**
   * Names in lower case. A missing header is undefined: never assume one. A Host that was sent more
   * than once is a list: the server refuses it, since proxies do not agree on which of them counts.
   */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly remoteAddress: string;
}

/** What comes of an upgrade request. */
export type AdmissionVerdict =
  /** Answered by HTTP, before the upgrade. */
  | { readonly kind: "refuse"; readonly status: 400 | 401 | 403 | 421 | 503; readonly message: string }
  /**
   * Accepted and closed at once, where a browser must be able to read why: it never sees an HTTP
   * status.
   */
  | { readonly kind: "close"; readonly subprotocol: string | undefined; readonly code: number; readonly reason: string }
  | { readonly kind: "accept"; readonly subprotocol: string | undefined; open(socket: ServerSocket): SocketOwner };

/** The server, as a transport sees it. Never rejects. */
export type Admission = (request: UpgradeRequest) => Promise<AdmissionVerdict>;

/**
 * RFC 6455 allows a close reason 123 bytes; one more would throw. Cut between characters, not
 * inside one.
 */
export function closeReason(text: string): string {
  let reason = text.slice(0, 123); // no character takes less than a byte
  while (Buffer.byteLength(reason) > 123) reason = [...reason].slice(0, -1).join("");
  return reason;
}
