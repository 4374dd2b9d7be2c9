export { MAX_ANNOTATIONS, MAX_STATE_DEPTH } from "../codec/shape.js";

/**
 * A page's production build does not check the bounds: the server refuses a value that is too deep
 * or too long, and names the reason.
 */
export function shapeFault(): undefined {}
