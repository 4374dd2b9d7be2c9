import { watched } from "@holdfast/protocol/internal";
import type { Clock } from "./clock.js";
import type { ErrorContext, ReportError } from "./errors.js";

/**
 * Wraps a promise that the client returns to the application. If the promise rejects and no caller
 * handles the rejection, `onError` receives the error. Otherwise the unhandled rejection would end
 * a Node process. A page's production build returns the promise unchanged.
 */
export function unawaited<Value>(
  work: Promise<Value>,
  { report, clock }: { readonly report: ReportError; readonly clock: Clock },
  place: Omit<ErrorContext, "source">,
): Promise<Value> {
  return watched(work, {
    ignored: (reason) => report(reason, { source: "call", ...place }),
    later: (run) => void clock.after(0, run),
  });
}
