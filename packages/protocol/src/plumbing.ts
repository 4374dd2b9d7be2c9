/**
 * The part of `@holdfast/protocol/internal` that client and server share. In a page this is the
 * whole entry.
 */
export { canonicalJson } from "./canonical-json.js";
export { channelId, parseChannel } from "./channel-id.js";
export type { Codec, Decoded } from "./codec/codec.js";
export { toWire } from "./errors.js";
export { links } from "./links.js";
export { serverFrames } from "./server-frames.js";
export { deepCopy } from "./document/deep-copy.js";
export { documentFault } from "./document/document-fault.js";
export { hashOf } from "./document/hash.js";
export { applyPatches } from "./document/patches.js";
export { shareParts } from "./document/share.js";
export { type Watch, watched } from "./watched.js";
