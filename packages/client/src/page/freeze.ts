/** In a page's production build: whoever changes a document has been told in development. */
export function freeze<Value>(value: Value): Value {
  return value;
}
