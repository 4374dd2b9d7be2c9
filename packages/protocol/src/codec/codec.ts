import type { Fault } from "../issues.js";

/** The message of a frame, or the fault of a frame that cannot be read. */
export type Decoded<Message> = { ok: true; message: Message } | { ok: false; fault: Fault; correlationId?: string };

/**
 * Turns messages into frames and back. `encode` trusts its caller. `decode` does not trust the peer
 * and never throws: it checks the depth and the counts of a frame before parsing, and then
 * validates the message against the schema of its direction. In a page's production build, the
 * client's codec leaves out both checks.
 */
export interface Codec<Inbound, Outbound> {
  /** The WebSocket subprotocol by which the two sides agree on this codec. */
  readonly subprotocol: string;
  decode(frame: string | Uint8Array): Decoded<Inbound>;
  encode(message: Outbound): string;
}
