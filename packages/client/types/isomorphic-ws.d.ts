/**
 * Stands in for isomorphic-ws's own types (tsconfig.base.json, `paths`). Those are the types of
 * `ws`, and with them `process` and `Buffer` would compile in the client, which has to run where
 * neither exists. The value is `ws` in Node and the global WebSocket (or null) in a browser;
 * socket.ts says what it needs of it.
 */
declare const Implementation: unknown;
export default Implementation;
