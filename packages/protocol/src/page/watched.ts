/**
 * In a page an unhandled rejection ends nothing, and the console and the page's own monitoring show
 * it.
 */
export function watched<Value>(work: Promise<Value>): Promise<Value> {
  return work;
}
