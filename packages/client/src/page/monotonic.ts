import { host } from "../host.js";

/**
 * Used in a page's production build. Returns milliseconds since an arbitrary moment. Every browser
 * that has WebSocket also has `performance`, so no fallback is needed.
 */
export function monotonic(): number {
  return host.performance!.now!();
}
