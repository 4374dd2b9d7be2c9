/**
 * The wire, one line a version:
 *   1  the first; JSON text frames.
 */
export const PROTOCOL_VERSION = 1;

/**
 * The WebSocket subprotocols. A client that offers none gets JSON; `msgpack` is reserved, and
 * neither side speaks it yet.
 */
export const subprotocols = {
  json: "holdfast.v1.json",
  /**
   * Offered beside one of the others, never chosen: "my first message is `auth`, also where the
   * upgrade request carries the credential". A client names its device and session there; without
   * this word a server that knows who it is greets it at once, since a script waits for the
   * greeting.
   */
  auth: "holdfast.v1.auth",
} as const;
