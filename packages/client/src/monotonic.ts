import { host } from "./host.js";

let total = 0;
let before = Date.now();

/**
 * Milliseconds that have passed since some moment. A host without `performance` has the steps of
 * its wall clock added up, where one that leads back counts as none. A page, which has it, gets
 * src/page/monotonic.ts instead.
 */
export function monotonic(): number {
  return host.performance?.now?.() ?? passed();
}

function passed(): number {
  const now = Date.now();
  total += Math.max(0, now - before);
  before = now;
  return total;
}
