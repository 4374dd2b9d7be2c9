/**
 * The entry for programs that read frames against the schemas: servers, proxies, test kits, tests
 * of clients in other languages. This entry is separate, so that a page does not download the
 * schema of every message. `wireMessages` lists every message with its schema, a valid example and
 * a sentence that says when the message is sent.
 */
export { type ClientMessage, clientMessage } from "./client-message.js";
export { type ServerMessage, serverMessage } from "./server-message.js";
export type { Codec, Decoded } from "./codec/codec.js";
export { jsonCodec } from "./codec/json.js";
export { resetReasons } from "./messages/position.js";
export { type Direction, type WireMessage, wireMessages } from "./wire-messages.js";
