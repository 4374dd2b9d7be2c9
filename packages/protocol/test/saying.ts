import { expect } from "vitest";

/**
 * Matches a string that contains each of the facts, in any order. Tests check in this way that an
 * error names a value, a type or a number, whatever its wording.
 */
export function saying(...facts: readonly string[]): unknown {
  const parts = facts.map((fact) => `(?=[^]*${fact.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&")})`);
  return expect.stringMatching(new RegExp(`^${parts.join("")}`));
}
