/**
 * In a page's production build options are not checked. The development build has checked each
 * option.
 */
export function checkOptions(): void {}
export function checkTimes(): void {}

/** The server refuses such a token and reports the reason. */
export function checkToken(): void {}
export function tokenFault(): undefined {}
