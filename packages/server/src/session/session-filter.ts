import { isPlainObject, kindOf, optionError } from "../call-options.js";
import type { SessionFilter } from "./recent-disconnects.js";

export const PATTERN = "Pass a part of the identity, such as `{ where: { claims: { login } } }`.";

/** A part of a value, at any depth. */
export type PartOf<Value> = Value extends readonly unknown[]
  ? Value
  : Value extends object
    ? { readonly [Key in keyof Value]?: PartOf<Value[Key]> }
    : Value;

/**
 * Returns a filter for sessions whose identity contains everything in the pattern. A pattern is
 * plain data, so it can be sent to other instances, unlike a function.
 *
 * @throws HoldfastError INVALID_OPTION for values that JSON cannot hold. A login that is
 *   `undefined` must not match all logins.
 */
export function matching(pattern: unknown): SessionFilter {
  // An identity is an object, so a list would match no session.
  if (!isPlainObject(pattern)) wrong("where", `expected a plain object or a function, received ${kindOf(pattern)}`);
  check(pattern, "where");
  return ({ identity }) => has(identity, pattern);
}

function check(pattern: unknown, field: string): void {
  if (typeof pattern === "string" || typeof pattern === "boolean" || pattern === null) return;
  if (typeof pattern === "number" && Number.isFinite(pattern)) return;
  if (typeof pattern !== "object") wrong(field, `a ${typeof pattern} cannot be sent to other instances`);
  if (!Array.isArray(pattern) && !isPlainObject(pattern))
    wrong(field, "expected values that JSON can hold, because other instances compare them");
  const entries = Object.entries(pattern);
  if (entries.length === 0 && !Array.isArray(pattern)) wrong(field, "expected at least one property");
  for (const [key, value] of entries) check(value, `${field}.${key}`);
}

/** True if the value contains everything in the pattern. Lists must be equal. */
function has(value: unknown, pattern: unknown): boolean {
  if (typeof pattern !== "object" || pattern === null) return value === pattern;
  if (typeof value !== "object" || value === null || Array.isArray(value) !== Array.isArray(pattern)) return false;
  if (Array.isArray(pattern) && pattern.length !== (value as unknown[]).length) return false;
  return Object.entries(pattern).every(
    ([key, part]) => Object.hasOwn(value, key) && has((value as Record<string, unknown>)[key], part),
  );
}

function wrong(field: string, sentence: string): never {
  throw optionError("disconnect", field, sentence, PATTERN);
}
