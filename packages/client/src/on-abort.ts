import { type Cancel, HoldfastError } from "@holdfast/protocol";

/** As much of an AbortSignal as is used; the platform's own fits, without DOM types. */
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
 * Calls `run` when the signal aborts. All calls that wait for one signal share one listener,
 * because Node warns of a leak when a signal has more than ten. A page in production, where nothing
 * warns, gets src/page/on-abort.ts instead.
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
  // Over a copy, since each run takes itself off.
  const waiting = { runs, listener: () => [...runs].forEach((run) => runs.has(run) && run()) };
  signals.set(signal, waiting);
  signal.addEventListener("abort", waiting.listener);
  return waiting;
}
