/**
 * In a page's production build names of events are not checked. The development build reports a
 * name that does not exist.
 */
export function checkEvent(): void {}

/** A page's production build does not log ignored events. */
export function noteIgnored(): void {}
