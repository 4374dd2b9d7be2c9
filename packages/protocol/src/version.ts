/**
 * The wire, one line a version:
 *   1  the first; JSON text frames.
 */
export const PROTOCOL_VERSION = 1;

/** The WebSocket subprotocols. A client that offers none gets JSON; `msgpack` is reserved, and neither side speaks it yet. */
export const subprotocols = { json: "holdfast.v1.json", msgpack: "holdfast.v1.msgpack" } as const;
