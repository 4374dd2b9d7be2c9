import { isPlainObject, kindOf, optionError } from "../call-options.js";
import type { SessionFilter } from "./recent-disconnects.js";

export const PATTERN = "Pass what the identity must have, such as `{ where: { claims: { login } } }`.";

/** A part of something, at any depth. */
export type PartOf<Value> = Value extends readonly unknown[]
  ? Value
  : Value extends object
    ? { readonly [Key in keyof Value]?: PartOf<Value[Key]> }
    : Value;

/**
 * Which sessions of a user are meant, said in a way that travels to other instances: those whose
 * identity has all that the pattern has.
 *
 * @throws HoldfastError INVALID_OPTION for what JSON would lose: a login that is undefined must not
 *   mean all logins
 */
export function matching(pattern: unknown): SessionFilter {
  // An identity is an object, so a list would meet none.
  if (!isPlainObject(pattern)) wrong("where", `expected a plain object or a function, received ${kindOf(pattern)}`);
  check(pattern, "where");
  return ({ identity }) => has(identity, pattern);
}

function check(pattern: unknown, field: string): void {
  if (typeof pattern === "string" || typeof pattern === "boolean" || pattern === null) return;
  if (typeof pattern === "number" && Number.isFinite(pattern)) return;
  if (typeof pattern !== "object") wrong(field, `${typeof pattern} cannot be compared on other instances`);
  if (!Array.isArray(pattern) && !isPlainObject(pattern))
    wrong(field, "only what JSON holds can be compared on other instances");
  const entries = Object.entries(pattern);
  if (entries.length === 0 && !Array.isArray(pattern)) wrong(field, "names nothing");
  for (const [key, value] of entries) check(value, `${field}.${key}`);
}

/** Whether something has all that the pattern has. Lists are compared whole. */
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
