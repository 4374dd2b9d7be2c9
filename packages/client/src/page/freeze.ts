/** In a page's production build: whoever changes a document has been told in development. */
export function freeze<Value>(value: Value): Value {
  return value;
}

/** What is not frozen may be shared. */
export function unshared(value: unknown): unknown {
  return value;
}
