import { type BuiltInErrorCode, HoldfastError, type ErrorDetails } from "@holdfast/protocol";
import type { Clock } from "./clock.js";
import type { ErrorContext, ReportError } from "./errors.js";
import { type AbortSignalLike, onAbort } from "./on-abort.js";
import { unawaited } from "./unawaited.js";

export type { AbortSignalLike };

/** How long a caller is willing to wait. */
export interface WaitOptions {
  /** @default the client's `requestTimeoutMs` */
  readonly timeoutMs?: number | undefined;
  /** Gives up when it aborts. */
  readonly signal?: AbortSignalLike | undefined;
}

/** A promise that its caller waits for. Whatever settles it first ends the watch over it. */
export interface PatientCall<Value> {
  /** By the monotonic clock. */
  readonly deadline: number;
  resolve(value: Value): void;
  /**
   * `isExpected`: the application itself gave up what was waited for, so it is no failure that
   * nothing awaits the promise.
   */
  reject(error: HoldfastError, isExpected?: boolean): void;
}

export interface PatientCallParts<Value> {
  readonly clock: Clock;
  /** Where the caller names no time. */
  readonly timeoutMs: number;
  readonly report: ReportError;
  /** Why there is no connection, if there is none. */
  readonly whyNot: () => HoldfastError | undefined;
  /** Called at once, unless the signal has aborted. */
  readonly begin: (call: PatientCall<Value>) => void;
  /** The time is over or the signal has aborted: it has to reject the call. */
  readonly giveUp: (error: HoldfastError, call: PatientCall<Value>) => void;
}

/**
 * The promise of `begin`, within the patience of the caller. When it settles neither a timer nor a
 * listener is left.
 */
export function patiently<Value>(
  place: Omit<ErrorContext, "source">,
  options: WaitOptions | undefined,
  parts: PatientCallParts<Value>,
): Promise<Value> {
  const { clock, whyNot } = parts;
  // `null`, too, means none: a caller without types may pass it.
  const { timeoutMs = parts.timeoutMs, signal } = options ?? {};
  const fault = (code: BuiltInErrorCode, sentence: string, details?: ErrorDetails): HoldfastError =>
    new HoldfastError(code, `${place.request ?? place.channel}: ${sentence}`, details);
  const run = (resolve: (value: Value) => void, reject: (error: HoldfastError) => void): void => {
    const cancelled = (): HoldfastError => fault("CANCELLED", "the caller gave up.", { cause: signal?.reason });
    if (signal?.aborted) return reject(cancelled());
    const call: PatientCall<Value> = {
      deadline: clock.monotonic() + timeoutMs,
      resolve(value) {
        stop();
        resolve(value);
      },
      reject(error, isExpected) {
        stop();
        // In a microtask: `begin` may settle the call, and the promise is made when it returns.
        if (isExpected) void Promise.resolve().then(() => promise.catch(() => undefined));
        reject(error);
      },
    };
    const stops = [
      signal && onAbort(signal, () => parts.giveUp(cancelled(), call)),
      clock.after(timeoutMs, () => {
        const why = whyNot();
        const sentence = `no ${why ? "connection" : "answer"} within ${timeoutMs} ms.${why ? ` ${why.message}` : ""}`;
        parts.giveUp(fault("TIMEOUT", sentence, { cause: why?.cause, remedy: why?.remedy }), call);
      }),
    ];
    const stop = (): void => stops.forEach((each) => each?.());
    parts.begin(call);
  };
  const promise = unawaited(new Promise<Value>(run), parts, place);
  return promise;
}
