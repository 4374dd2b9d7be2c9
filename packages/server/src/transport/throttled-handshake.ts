import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { SocketOwner } from "./socket.js";

/**
 * What ws is handed at once: it parses all of that before anyone can say stop, and a read can be
 * 10,000 frames.
 */
const PIECE_BYTES = 2_048;
/**
 * A shorter read is copied into Buffer's pool. What Node read it into costs 600 bytes, however
 * little it holds.
 */
const SHORT_BYTES = 1_024;

type Parse = (this: Duplex, chunk: Buffer) => void;

/**
 * Stands between a socket and ws until it is known who sends, so that a stranger cannot make us
 * parse or keep more than what it may send is worth. Afterwards ws has the socket to itself.
 */
export function handOutInPieces(raw: Duplex, ws: WebSocket, owner: SocketOwner, isDismissed: () => boolean): void {
  const [parse] = raw.listeners("data") as Parse[];
  if (!parse) return;
  /** Enough for the close frame with which a peer answers ours. */
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
    // Still a stranger, or dismissed meanwhile: what is left of the read is not looked at.
    if (owner.isHandshaking || isDismissed()) return;
    raw.off("data", onData).on("data", parse);
    if (at < chunk.length) parse.call(raw, chunk.subarray(at));
  };
  raw.off("data", parse).on("data", onData);
}
