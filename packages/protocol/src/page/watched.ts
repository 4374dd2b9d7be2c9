/**
 * A page's production build does not watch promises: an unhandled rejection does not end a page,
 * and the console and the page's monitoring show it.
 */
export function watched<Value>(work: Promise<Value>): Promise<Value> {
  return work;
}
