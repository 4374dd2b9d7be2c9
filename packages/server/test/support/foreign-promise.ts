import { runInNewContext } from "node:vm";

/**
 * The Promise of another realm: as good as ours, and no instance of it. Those of other libraries
 * are not either.
 */
export const ForeignPromise = runInNewContext("Promise") as PromiseConstructor;
