/**
 * In a page's production build events are not checked. The development build has reported a name
 * that does not exist.
 */
export function checkEvent(): void {}

/** A page in production does not log ignored events. */
export function noteIgnored(): void {}
