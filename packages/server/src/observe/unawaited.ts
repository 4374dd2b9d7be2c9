import { inspect } from "node:util";
import { isHoldfastError } from "@holdfast/protocol";
import { watched } from "@holdfast/protocol/internal";
import type { ServerEnvironment } from "../environment.js";
import type { Logger } from "./logger.js";

/**
 * Takes the promise of one of the application's calls and returns one to hand out. If the call
 * fails and nothing awaits it, the failure is logged with the call, its place (`fields`) and the
 * field at fault; it never becomes an unhandled rejection, which would end the process. A caller
 * that awaits or catches gets the rejection, and nothing is logged.
 */
export type Unawaited = <Value>(call: string, fields: object, work: Promise<Value>) => Promise<Value>;

/**
 * `logger` is undefined if the application gave none: the failure is then a warning of the process,
 * which stderr shows.
 */
export function createUnawaited(environment: ServerEnvironment, logger: Logger | undefined): Unawaited {
  return (call, fields, work) =>
    watched(work, {
      later: (run) => environment.atEndOfTurn(run),
      ignored(reason) {
        const field = safely(() => (isHoldfastError(reason) ? reason.field : undefined), undefined);
        const place = { call, ...fields, ...(field !== undefined && { field }) };
        if (logger) logger.error({ ...place, err: reason }, "a call that nothing awaits failed");
        else warn(place, reason);
      },
    });
}

function warn(place: object, reason: unknown): void {
  const code = safely(() => (isHoldfastError(reason) ? String(reason.code) : undefined), undefined) ?? "UNAWAITED";
  const detail = safely(() => JSON.stringify(place), inspect(place, plain));
  process.emitWarning(`a call that nothing awaits failed: ${safely(() => String(reason), inspect(reason, plain))}`, {
    type: "HoldfastWarning",
    code,
    detail,
  });
}

/** Calls nothing of the application's: no getter, no `toString`, no trap of a proxy. */
const plain = { customInspect: false, depth: 1 };

/**
 * What an application throws, or passes to a call, may throw when it is read or converted to text.
 * A report runs without a caller, so that error would end the process.
 */
function safely<Value>(read: () => Value, otherwise: Value): Value {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
