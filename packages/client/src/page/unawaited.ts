/**
 * An unhandled rejection does not end a page. The console and the page's own monitoring show the
 * error.
 */
export function unawaited<Value>(work: Promise<Value>): Promise<Value> {
  return work;
}
