/** In a page's production build: a server's refusals bring their remedies with them. */
export { clientRemedyOf as remedyOf, errorCodes } from "../error-codes.js";
export type { BuiltInErrorCode, ErrorCode } from "../error-codes.js";
