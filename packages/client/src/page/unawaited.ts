/**
 * In a page an unhandled rejection ends nothing. The console and the page's own monitoring show it.
 */
export function unawaited<Value>(work: Promise<Value>): Promise<Value> {
  return work;
}
