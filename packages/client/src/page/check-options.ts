/**
 * In a page's production build: whoever wrote the options has run them in development, where each
 * is checked.
 */
export function checkOptions(): void {}
export function checkTimes(): void {}

/** A server refuses such a token, and says so. */
export function checkToken(): void {}
export function tokenFault(): undefined {}
