import { HoldfastError } from "@holdfast/protocol";
import type { Cancel, Clock } from "./clock.js";
import { type AbortSignalLike, onAbort } from "./on-abort.js";

export type { AbortSignalLike };

/** How long a caller is willing to wait. */
export interface WaitOptions {
  /** @default the client's `requestTimeoutMs` */
  readonly timeoutMs?: number | undefined;
  /** Gives up when it aborts. */
  readonly signal?: AbortSignalLike | undefined;
}

/**
 * Calls `giveUp` once, when the time is over or the signal aborts (not before it returns: an aborted signal is the caller's
 * to check). The function returned ends the watch and leaves neither timer nor listener. `whyNot` says why there is no
 * connection, if there is none.
 */
export function watchPatience(
  what: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignalLike | undefined },
  clock: Clock,
  giveUp: (error: HoldfastError) => void,
  whyNot: () => HoldfastError | undefined = () => undefined,
): Cancel {
  const end = (error: HoldfastError): void => {
    stop();
    giveUp(error);
  };
  // Before the timer starts: what is no signal throws here.
  const stopSignal = signal && onAbort(signal, () => end(cancelled(what, signal)));
  const cancelTimer = clock.after(timeoutMs, () => {
    const why = whyNot();
    const sentence = why ? `no connection within ${timeoutMs} ms. ${why.message}` : `no answer within ${timeoutMs} ms.`;
    end(new HoldfastError("TIMEOUT", `${what}: ${sentence}`, { cause: why?.cause, remedy: why?.remedy }));
  });
  const stop = (): void => {
    cancelTimer();
    stopSignal?.();
  };
  return stop;
}

export function cancelled(what: string, signal: AbortSignalLike | undefined): HoldfastError {
  return new HoldfastError("CANCELLED", `${what}: the caller gave up.`, { cause: signal?.reason });
}
