import { inspect } from "node:util";
import { isHoldfastError } from "@holdfast/protocol";
import { watched } from "@holdfast/protocol/internal";
import type { ServerEnvironment } from "../environment.js";
import type { Logger } from "./logger.js";

/**
 * Watches the promise of an application's call, such as `publish`, and returns a promise for the
 * application. If the call fails and nothing awaits it, the failure is logged with the call's name,
 * the given fields and the field at fault. Otherwise the unhandled rejection would end the process.
 * If the application awaits or catches the promise, it gets the rejection and nothing is logged.
 */
export type Unawaited = <Value>(call: string, fields: object, work: Promise<Value>) => Promise<Value>;

/**
 * If the application gave no logger, a failure becomes a process warning, which Node prints to
 * stderr.
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

/** Runs no code of the application: no getter, no `toString`, no trap of a proxy. */
const plain = { customInspect: false, depth: 1 };

/**
 * A value that the application throws or passes may itself throw when it is read or converted to
 * text. A report has no caller, so that error would end the process.
 */
function safely<Value>(read: () => Value, otherwise: Value): Value {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
