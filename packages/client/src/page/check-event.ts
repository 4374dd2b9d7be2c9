/**
 * In a page's production build: whoever named the event has been told in development that it does
 * not exist.
 */
export function checkEvent(): void {}

/** Nobody reads such a log of a page. */
export function noteIgnored(): void {}
