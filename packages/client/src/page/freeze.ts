/**
 * In a page's production build documents are not frozen. In development, code that modifies a
 * document has failed.
 */
export function freeze<Value>(value: Value): Value {
  return value;
}

/** Values that are not frozen can be shared without a copy. */
export function unshared(value: unknown): unknown {
  return value;
}
