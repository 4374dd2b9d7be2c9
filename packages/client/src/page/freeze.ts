/**
 * In a page's production build documents are not frozen. In the development build, documents are
 * frozen, so code that modifies a document fails.
 */
export function freeze<Value>(value: Value): Value {
  return value;
}

/** A value that is not frozen needs no copy. */
export function unshared(value: unknown): unknown {
  return value;
}
