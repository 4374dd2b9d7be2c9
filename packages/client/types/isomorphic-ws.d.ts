/**
 * Replaces the types of isomorphic-ws (tsconfig.base.json, `paths`). They are the types of `ws`,
 * and with them `process` and `Buffer` would compile in the client, which has to run on platforms
 * without them. The value is `ws` in Node and the global WebSocket (or null) in a browser.
 * socket.ts describes its use.
 */
declare const Implementation: unknown;
export default Implementation;
