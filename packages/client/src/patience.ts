import { type BuiltInErrorCode, HoldfastError, type ErrorDetails } from "@holdfast/protocol";
import type { Clock } from "./clock.js";
import type { ErrorContext, ReportError } from "./errors.js";
import { type AbortSignalLike, onAbort } from "./on-abort.js";
import { unawaited } from "./unawaited.js";

export type { AbortSignalLike };

/** Limits how long a call waits. */
export interface WaitOptions {
  /**
   * How long the call may take, including the wait for a connection. Milliseconds.
   * @default the client's `requestTimeoutMs`
   */
  readonly timeoutMs?: number | undefined;
  /** Cancels the call when the signal aborts. The call rejects with CANCELLED. */
  readonly signal?: AbortSignalLike | undefined;
}

/**
 * A call whose promise is pending. Settling the promise removes the timer and the abort listener.
 */
export interface PatientCall<Value> {
  /** By the monotonic clock, in milliseconds. */
  readonly deadline: number;
  resolve(value: Value): void;
  /**
   * `isExpected`: the application itself ended the wait, for example with `leave()`. A rejection
   * that no caller handles is then not reported.
   */
  reject(error: HoldfastError, isExpected?: boolean): void;
}

export interface PatientCallParts<Value> {
  readonly clock: Clock;
  /** Used if the caller sets no timeout. */
  readonly timeoutMs: number;
  readonly report: ReportError;
  /**
   * The reason why the client is not connected yet. Undefined in the states `idle`, `ready`,
   * `unauthorized` and `closed`.
   */
  readonly whyNot: () => HoldfastError | undefined;
  /** Called synchronously, unless the signal has already aborted. */
  readonly begin: (call: PatientCall<Value>) => void;
  /** Called on timeout or abort. Must reject the call. */
  readonly giveUp: (error: HoldfastError, call: PatientCall<Value>) => void;
}

/**
 * Returns the promise of a call that `begin` starts, limited by the caller's timeout and signal.
 * When the promise settles, no timer and no listener is left.
 */
export function patiently<Value>(
  place: Omit<ErrorContext, "source">,
  options: WaitOptions | undefined,
  parts: PatientCallParts<Value>,
): Promise<Value> {
  const { clock, whyNot } = parts;
  // Callers without types may pass `null` instead of options.
  const { timeoutMs = parts.timeoutMs, signal } = options ?? {};
  const fault = (code: BuiltInErrorCode, sentence: string, details?: ErrorDetails): HoldfastError =>
    new HoldfastError(code, `${place.request ?? place.channel}: ${sentence}`, details);
  const run = (resolve: (value: Value) => void, reject: (error: HoldfastError) => void): void => {
    const cancelled = (): HoldfastError => fault("CANCELLED", "the signal aborted.", { cause: signal?.reason });
    if (signal?.aborted) return reject(cancelled());
    const call: PatientCall<Value> = {
      deadline: clock.monotonic() + timeoutMs,
      resolve(value) {
        stop();
        resolve(value);
      },
      reject(error, isExpected) {
        stop();
        // In a microtask, because `begin` may settle the call before the promise is assigned.
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
