import { host } from "../host.js";

/** In a page's production build: every browser that has WebSocket also has this clock. */
export function monotonic(): number {
  return host.performance!.now!();
}
