import { expect } from "vitest";

/**
 * Matches a text that contains each of the facts, in any order. A test uses it to check that an
 * error names a value, a type or a number, without fixing the wording.
 */
export function saying(...facts: readonly string[]): unknown {
  const parts = facts.map((fact) => `(?=[^]*${fact.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&")})`);
  return expect.stringMatching(new RegExp(`^${parts.join("")}`));
}
