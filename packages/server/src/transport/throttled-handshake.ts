import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { SocketOwner } from "./socket.js";

/**
 * The most bytes that ws parses at once before authentication. ws parses a whole read before the
 * server can stop it, and one read can hold 10,000 frames.
 */
const PIECE_BYTES = 2_048;
/**
 * Slices shorter than this are copied into Buffer's pool. Otherwise a short slice would keep the
 * buffer that Node read it into, which costs 600 bytes.
 */
const SHORT_BYTES = 1_024;

type Parse = (this: Duplex, chunk: Buffer) => void;

/**
 * Passes the data of an unauthenticated peer to ws in slices of 2 KiB, so that the peer cannot make
 * the server parse or store more than the limits of the handshake allow. After authentication, ws
 * reads the socket directly.
 */
export function handOutInPieces(raw: Duplex, ws: WebSocket, owner: SocketOwner, isDismissed: () => boolean): void {
  const [parse] = raw.listeners("data") as Parse[];
  if (!parse) return;
  /** The bytes that are still parsed after dismissal. Enough for the peer's close frame. */
  let lastPiece = PIECE_BYTES;

  const onData = (chunk: Buffer): void => {
    if (isDismissed()) {
      if (lastPiece > 0) parse.call(raw, chunk.subarray(0, lastPiece));
      lastPiece -= chunk.length;
      return;
    }
    if (owner.isHandshaking) owner.onRead(chunk.length);
    let at = 0;
    for (; owner.isHandshaking && ws.readyState === ws.OPEN && at < chunk.length; at += PIECE_BYTES) {
      const piece = chunk.subarray(at, at + PIECE_BYTES);
      parse.call(raw, piece.length < SHORT_BYTES ? Buffer.from(piece) : piece);
    }
    // During the handshake, the next read is sliced too. After a dismissal, the rest of this read
    // is not parsed.
    if (owner.isHandshaking || isDismissed()) return;
    raw.off("data", onData).on("data", parse);
    if (at < chunk.length) parse.call(raw, chunk.subarray(at));
  };
  raw.off("data", parse).on("data", onData);
}
