import type { ClientMessage } from "./client-message.js";
import type { Codec } from "./codec/codec.js";
import { jsonCodec } from "./codec/json.js";
import { type ServerMessage, serverMessage } from "./server-message.js";

/**
 * The codec of a client: every frame of a server is validated against the schema of its message.
 */
export function serverFrames(): Codec<ServerMessage, ClientMessage> {
  return jsonCodec(serverMessage);
}
