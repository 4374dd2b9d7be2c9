import type { Fault } from "../issues.js";

/** A frame that could be read, or what is wrong with it. */
export type Decoded<Message> = { ok: true; message: Message } | { ok: false; fault: Fault; correlationId?: string };

/**
 * Turns messages into frames and back. `encode` trusts its caller; `decode` trusts nobody: it
 * bounds depth and counts before it parses, validates against the schema of its direction, and
 * never throws.
 */
export interface Codec<Inbound, Outbound> {
  /** The WebSocket subprotocol that announces it. */
  readonly subprotocol: string;
  decode(frame: string | Uint8Array): Decoded<Inbound>;
  encode(message: Outbound): string;
}
