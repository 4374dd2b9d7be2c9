import type { Batch } from "./frame.js";

/** The server's view of a socket. Each transport has one implementation. */
export interface ServerSocket {
  readonly remoteAddress: string;
  /** Bytes that were written but not accepted by the network yet. */
  readonly bufferedBytes: number;
  /** Writes the frames in order. Does nothing if the socket is closing. */
  write(batch: Batch): void;
  /**
   * Starts the closing handshake. If the peer does not answer within one second, the socket is
   * terminated.
   */
  close(code: number, reason: string): void;
  /**
   * Closes a socket whose peer is not authenticated. The peer has 250 ms to answer, and almost no
   * further data is parsed.
   */
  dismiss(code: number, reason: string): void;
  terminate(): void;
  /** Stops reading frames until `resume`. Frames that were already read may still arrive. */
  pause(): void;
  resume(): void;
}

/** Receives the events of a socket. `onClosed` is called exactly once, after all other calls. */
export interface SocketOwner {
  /**
   * True until the peer is authenticated. While true, the transport reports each read and passes
   * data to the parser in small slices.
   */
  readonly isHandshaking: boolean;
  /** Called once per read of an unauthenticated peer, before the frames in that read. */
  onRead(bytes: number): void;
  onFrame(frame: string | Uint8Array): void;
  /** The peer sent a WebSocket ping, which the transport has answered. */
  onPing(): void;
  onClosed(code: number): void;
}

/** The parts of an upgrade request that the server reads, for all transports. */
export interface UpgradeRequest {
  /** Path and query, as in the request line. */
  readonly url: string;
  /**
   * Header names are in lower case. A missing header is undefined. If the request has several Host
   * headers, `host` is a list, and the server refuses the request, because proxies do not agree
   * which of them counts.
   */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly remoteAddress: string;
}

/** The answer to an upgrade request. */
export type AdmissionVerdict =
  /** Answered with an HTTP status, before the upgrade. */
  | { readonly kind: "refuse"; readonly status: 400 | 401 | 403 | 421 | 503; readonly message: string }
  /**
   * Accepted and closed at once, so that a browser can read the close code. Browsers never show an
   * HTTP status.
   */
  | { readonly kind: "close"; readonly subprotocol: string | undefined; readonly code: number; readonly reason: string }
  | { readonly kind: "accept"; readonly subprotocol: string | undefined; open(socket: ServerSocket): SocketOwner };

/** The server as a transport sees it. Never rejects. */
export type Admission = (request: UpgradeRequest) => Promise<AdmissionVerdict>;

/**
 * Shortens a close reason to the 123 bytes that RFC 6455 allows, because ws throws for a longer
 * one. Cuts between characters, never inside one.
 */
export function closeReason(text: string): string {
  let reason = text.slice(0, 123); // no character takes less than one byte
  while (Buffer.byteLength(reason) > 123) reason = [...reason].slice(0, -1).join("");
  return reason;
}
