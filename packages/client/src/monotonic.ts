import { host } from "./host.js";

let total = 0;
let before = Date.now();

/**
 * Milliseconds since an arbitrary time. If the host has no `performance`, the forward steps of
 * the wall clock are added up and steps back are ignored. A page always has `performance`, so its
 * production build uses src/page/monotonic.ts instead.
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
