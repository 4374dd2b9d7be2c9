/**
 * In a page's production build the address is not checked. The development build checks the
 * address.
 */
export function checkUrl(): void {}
