import { runInNewContext } from "node:vm";

/**
 * The `Promise` of another realm. Its promises work, but are not instances of this realm's
 * `Promise`, like promises of other libraries.
 */
export const ForeignPromise = runInNewContext("Promise") as PromiseConstructor;
