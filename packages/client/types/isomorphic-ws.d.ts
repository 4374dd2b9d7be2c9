/**
 * Replaces the types of isomorphic-ws (tsconfig.base.json, `paths`). Those types are the types of
 * `ws`, which would let `process` and `Buffer` compile in the client, although the client has to
 * run on platforms that have neither. The value is `ws` in Node and the global WebSocket (or null)
 * in a browser. socket.ts describes its use.
 */
declare const Implementation: unknown;
export default Implementation;
