import { type Cancel, HoldfastError } from "@holdfast/protocol";
import type { Clock } from "./clock.js";
import type { ReportError } from "./errors.js";

/** A handler that takes longer is reported: the events behind it wait. */
const STUCK_AFTER_MS = 30_000;

/** Notices handlers that do not finish. Each is reported once, and counted until it does finish. */
export interface HandlerWatch {
  /** A handler has returned a promise. The function returned says that it has settled. */
  begin(channel: string, event: string): () => void;
  /** Without a connection no timer runs; with the next one the time begins anew. */
  run(isRunning: boolean): void;
}

export function createHandlerWatch(clock: Clock, report: ReportError, count: (stuck: number) => void): HandlerWatch {
  /** Starts or stops the timer of each handler that is running. */
  const timers = new Set<(isRunning: boolean) => void>();
  let stuck = 0;
  let running = true;

  return {
    begin(channel, event) {
      let cancel: Cancel | undefined;
      let isStuck = false;
      const tell = (): void => {
        isStuck = true;
        count(++stuck);
        const sentence = `${channel}: ${event}: a handler has not finished after 30 s.`;
        report(new HoldfastError("HANDLER_FAILED", sentence), { source: "handler", channel, event });
      };
      const timer = (isRunning: boolean): void => {
        cancel?.();
        cancel = isRunning && !isStuck ? clock.after(STUCK_AFTER_MS, tell) : undefined;
      };
      timers.add(timer);
      timer(running);
      return () => {
        timers.delete(timer);
        timer(false);
        if (isStuck) count(--stuck);
      };
    },
    run(isRunning) {
      if (running === isRunning) return;
      running = isRunning;
      for (const timer of timers) timer(running);
    },
  };
}
