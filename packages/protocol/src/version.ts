/**
 * The wire, one line a version:
 *   1  the first; JSON text frames.
 */
export const PROTOCOL_VERSION = 1;

/** A server still understands clients down to this version. */
export const OLDEST_SUPPORTED_VERSION = 1;

/** The WebSocket subprotocols, in the order a server prefers them. A client that offers none gets JSON. */
export const subprotocols = { json: "holdfast.v1.json", msgpack: "holdfast.v1.msgpack" } as const;
