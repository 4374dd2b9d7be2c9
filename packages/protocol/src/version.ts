/**
 * The version of the wire protocol. History:
 *   1  the first version; JSON text frames
 */
export const PROTOCOL_VERSION = 1;

/**
 * The WebSocket subprotocols. If a client offers none, the server uses JSON. `msgpack` is reserved,
 * and neither side supports that name yet.
 */
export const subprotocols = {
  json: "holdfast.v1.json",
  /**
   * A client offers this subprotocol in addition to `json` to say that its first message is `auth`,
   * even if the upgrade request carries a credential. That `auth` names the client's device and
   * session. Without this subprotocol, a server that knows the user from the upgrade request sends
   * `connected` at once, because a simple script waits for that message. A server never chooses
   * this subprotocol.
   */
  auth: "holdfast.v1.auth",
} as const;
