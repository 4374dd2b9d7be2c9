/**
 * Plumbing that the client, the server and the command line of Holdfast share. It is no API: any
 * release may change or remove an export of this entry, without a note in the changelog. If your
 * application needs one of them, ask for it to be published.
 */
export * from "./plumbing.js";
export { MAX_DEPTH } from "./codec/shape.js";
export { formatPath } from "./issues.js";
export { identityOf, innerOf, mayBeLeftOut } from "./schema-parts.js";
export { readSchema } from "./schema.js";
export { valueSchema } from "./value.js";
