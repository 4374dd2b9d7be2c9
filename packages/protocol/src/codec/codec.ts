import type { Fault } from "../issues.js";

/** The message of a frame, or the fault of a frame that cannot be read. */
export type Decoded<Message> = { ok: true; message: Message } | { ok: false; fault: Fault; correlationId?: string };

/**
 * Turns messages into frames and back. `encode` trusts its caller. `decode` does not trust the
 * peer: before parsing, `decode` limits depth and counts; then the message is validated against the
 * schema of its direction. `decode` never throws.
 */
export interface Codec<Inbound, Outbound> {
  /** The WebSocket subprotocol by which the two sides agree on this codec. */
  readonly subprotocol: string;
  decode(frame: string | Uint8Array): Decoded<Inbound>;
  encode(message: Outbound): string;
}
