/**
 * The code that the client, the server and the command line of Holdfast share. This entry is not an
 * API: any release may change or remove an export without a note in the changelog. If your
 * application needs one of these exports, open an issue.
 */
export * from "./plumbing.js";
export { MAX_DEPTH } from "./codec/shape.js";
export { formatPath } from "./issues.js";
export { identityOf, innerOf, mayBeLeftOut } from "./schema-parts.js";
export { readSchema } from "./schema.js";
export { valueSchema } from "./value.js";
