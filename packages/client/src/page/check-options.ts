/**
 * In a page's production build options are not checked. The development build checks each option.
 */
export function checkOptions(): void {}
export function checkTimes(): void {}

/** The server refuses a token that is too long or not a string, and sends the reason. */
export function checkToken(): void {}
export function tokenFault(): undefined {}
