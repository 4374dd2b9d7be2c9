export { deepCopy as unshared } from "@holdfast/protocol/internal";

/**
 * Frozen with all of its objects and lists, so that whoever changes what everyone holds is told
 * where they do it. A page in production, which has been tried in development, gets
 * src/page/freeze.ts instead.
 */
export function freeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  const members: unknown[] = value instanceof Map || value instanceof Set ? [...value] : Object.values(value);
  members.forEach(freeze);
  return value instanceof Map || value instanceof Set || value instanceof Date ? value : Object.freeze(value);
}
