/**
 * The entry `./internal` of a page's production build. `index.ts` beside it says why it imports the
 * other entry.
 */
export * from "../plumbing.js";
import "../index.js";
