/**
 * A page's production build has no remedies of its own: the code names the row of the reference. A
 * refusal by the server carries a remedy, and development builds have all remedies.
 */
export const remedyOf = (_code: string): string | undefined => undefined;

export { errorCodes } from "../error-codes.js";
export type { BuiltInErrorCode, ErrorCode } from "../error-codes.js";
