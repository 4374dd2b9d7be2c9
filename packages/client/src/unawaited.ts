import { watched } from "@holdfast/protocol/internal";
import type { Clock } from "./clock.js";
import type { ErrorContext, ReportError } from "./errors.js";

/**
 * A promise to hand out: if it rejects and nothing handles that, the rejection is reported like
 * other errors without a caller, and is no unhandled rejection, which would end a Node process. In
 * a page's production build it is the promise itself.
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
