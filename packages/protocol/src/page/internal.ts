/**
 * The entry `./internal` of a page's production build. `index.ts` says why each entry imports the
 * other.
 */
export * from "../plumbing.js";
import "../index.js";
