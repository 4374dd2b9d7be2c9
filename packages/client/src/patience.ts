import { HoldfastError } from "@holdfast/protocol";
import type { Cancel, Clock } from "./clock.js";

/** As much of an AbortSignal as is used; the platform's own fits, without DOM types. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** How long a caller is willing to wait. */
export interface WaitOptions {
  /** @default the client's `requestTimeoutMs` */
  readonly timeoutMs?: number | undefined;
  /** Gives up when it aborts. */
  readonly signal?: AbortSignalLike | undefined;
}

/**
 * Calls `giveUp` once, when the time is over or the signal aborts (not before it returns: an aborted signal is the caller's
 * to check). The function returned ends the watch and leaves neither timer nor listener.
 */
export function watchPatience(
  what: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignalLike | undefined },
  clock: Clock,
  giveUp: (error: HoldfastError) => void,
): Cancel {
  const end = (error: HoldfastError): void => {
    stop();
    giveUp(error);
  };
  const abort = (): void => end(cancelled(what, signal));
  const cancelTimer = clock.after(timeoutMs, () =>
    end(new HoldfastError("TIMEOUT", `${what}: no answer within ${timeoutMs} ms.`)),
  );
  const stop = (): void => {
    cancelTimer();
    signal?.removeEventListener("abort", abort);
  };
  signal?.addEventListener("abort", abort);
  return stop;
}

export function cancelled(what: string, signal: AbortSignalLike | undefined): HoldfastError {
  return new HoldfastError("CANCELLED", `${what}: the caller gave up.`, { cause: signal?.reason });
}
