/**
 * In a page's production build the address is not checked. The development build has checked it.
 */
export function checkUrl(): void {}
