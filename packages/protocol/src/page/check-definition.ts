/**
 * A page's production build does not check the definition: the server checked the same definition
 * when it started, and so did the tests.
 */
export function checkDefinition(): void {}
