import { host } from "../host.js";

/**
 * The monotonic clock of a page's production build: milliseconds since an arbitrary time. Every
 * browser that supports this build has `performance.now()`, so no fallback is needed.
 */
export function monotonic(): number {
  return host.performance!.now!();
}
