export { MAX_ANNOTATIONS, MAX_STATE_DEPTH } from "../codec/shape.js";

/** In a page's production build: the server refuses what is too deep or too long, and says so. */
export function shapeFault(): undefined {}
