/**
 * In a page's production build: the server has checked the same definition when it started, and so
 * have the tests.
 */
export function checkDefinition(): void {}
