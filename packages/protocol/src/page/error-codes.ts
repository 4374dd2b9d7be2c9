/**
 * In a page's production build: no remedies of its own. The code says which row of the reference to
 * read; a server's refusal brings its remedy, and development has all of them.
 */
export const remedyOf = (_code: string): string | undefined => undefined;

export { errorCodes } from "../error-codes.js";
export type { BuiltInErrorCode, ErrorCode } from "../error-codes.js";
