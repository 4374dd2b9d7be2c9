/**
 * A copy that shares no object, list, Map, Set or Date with the value; anything else is in it as it
 * is. structuredClone is missing on some React Native engines, and takes five times as long.
 */
export function deepCopy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(deepCopy);
  if (value instanceof Date) return new Date(value);
  if (value instanceof Set) return new Set([...value].map(deepCopy));
  if (value instanceof Map) return new Map([...value].map((entry) => deepCopy(entry) as [unknown, unknown]));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    // No document has it; but what is in the store somebody else may have written, and to assign it
    // sets the prototype.
    if (name !== "__proto__") copy[name] = deepCopy(member);
  }
  return copy;
}
