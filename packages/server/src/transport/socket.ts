import type { Batch } from "./frame.js";

/** The server's view of a socket. Each transport has one implementation. */
export interface ServerSocket {
  readonly remoteAddress: string;
  /** Bytes that were written but not accepted by the network yet. */
  readonly bufferedBytes: number;
  /** Writes the frames in order. Does nothing if the socket is closing. */
  write(batch: Batch): void;
  /**
   * Starts the closing handshake. The Node transport terminates the socket if the peer does not
   * answer within one second.
   */
  close(code: number, reason: string): void;
  /**
   * Closes a socket whose peer is not authenticated. The Node transport gives the peer 250 ms to
   * answer and parses at most 2 KiB of further data.
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
   * True until the peer is authenticated, refused or gone. While true, the Node transport reports
   * each read to `onRead` and passes the data to the parser in slices of 2 KiB.
   */
  readonly isHandshaking: boolean;
  /**
   * The Node transport calls this method for each read while `isHandshaking` is true, before it
   * parses the frames in that read. `bytes` is the length of the read. The memory transport never
   * calls this method.
   */
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
  /** The server answers with an HTTP status and does not upgrade the connection. */
  | { readonly kind: "refuse"; readonly status: 400 | 401 | 403 | 421 | 503; readonly message: string }
  /**
   * The server accepts the upgrade and closes the WebSocket at once, so that a page can read the
   * close code. Browsers do not show pages the HTTP status of a failed upgrade.
   */
  | { readonly kind: "close"; readonly subprotocol: string | undefined; readonly code: number; readonly reason: string }
  | { readonly kind: "accept"; readonly subprotocol: string | undefined; open(socket: ServerSocket): SocketOwner };

/** Decides about an upgrade request. The promise never rejects. */
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
