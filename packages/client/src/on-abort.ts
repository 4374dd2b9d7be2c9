import { type Cancel, HoldfastError } from "@holdfast/protocol";

/**
 * The members of an AbortSignal that the client uses. The platform's class fits, and no DOM types
 * are needed.
 */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

interface SharedAbort {
  readonly runs: Set<() => void>;
  readonly listener: () => void;
}

const signals = /* @__PURE__ */ new WeakMap<AbortSignalLike, SharedAbort>();

/**
 * Calls `run` when the signal aborts. All calls with the same signal share one listener, because
 * Node warns of a leak if a signal has more than ten listeners. Browsers do not warn, so a page's
 * production build uses src/page/on-abort.ts instead.
 */
export function onAbort(signal: AbortSignalLike, run: () => void): Cancel {
  checkSignal(signal);
  const waiting = signals.get(signal) ?? listenTo(signal);
  waiting.runs.add(run);
  return () => {
    waiting.runs.delete(run);
    if (waiting.runs.size > 0 || signals.get(signal) !== waiting) return;
    signals.delete(signal);
    signal.removeEventListener("abort", waiting.listener);
  };
}

function checkSignal(signal: unknown): void {
  if (typeof (signal as Partial<AbortSignalLike>).addEventListener === "function") return;
  const remedy = "Pass the `signal` of an AbortController.";
  throw new HoldfastError("INVALID_VALUE", "signal: expected an AbortSignal.", { field: "signal", remedy });
}

function listenTo(signal: AbortSignalLike): SharedAbort {
  const runs = new Set<() => void>();
  // Iterates over a copy, because each run removes itself.
  const waiting = { runs, listener: () => [...runs].forEach((run) => runs.has(run) && run()) };
  signals.set(signal, waiting);
  signal.addEventListener("abort", waiting.listener);
  return waiting;
}
