/**
 * For those who read frames against the schemas: servers, proxies, test kits, clients in other
 * languages' tests. Apart from the main entry, so that a page does not download the schema of every
 * message. `wireMessages` is the list of all messages, each with its schema, a valid example and
 * the sentence that says when it is sent.
 */
export { type ClientMessage, clientMessage } from "./client-message.js";
export { type ServerMessage, serverMessage } from "./server-message.js";
export type { Codec, Decoded } from "./codec/codec.js";
export { jsonCodec } from "./codec/json.js";
export { resetReasons } from "./messages/position.js";
export { type Direction, type WireMessage, wireMessages } from "./wire-messages.js";
