export { deepCopy as unshared } from "@holdfast/protocol/internal";

/**
 * Freezes a value with all of its objects and lists, so that code which modifies a shared document
 * fails where the modification is made. A page's production build uses src/page/freeze.ts
 * instead.
 */
export function freeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  const members: unknown[] = value instanceof Map || value instanceof Set ? [...value] : Object.values(value);
  members.forEach(freeze);
  return value instanceof Map || value instanceof Set || value instanceof Date ? value : Object.freeze(value);
}
