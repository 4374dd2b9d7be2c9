import type { Cancel } from "@holdfast/protocol";
import { listen } from "../host.js";
import type { AbortSignalLike } from "../on-abort.js";

/** In a page's production build each call has its own listener. */
export function onAbort(signal: AbortSignalLike, run: () => void): Cancel {
  return listen(signal, "abort", run);
}
