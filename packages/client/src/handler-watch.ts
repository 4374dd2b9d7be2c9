import { type Cancel, HoldfastError } from "@holdfast/protocol";
import type { Clock } from "./clock.js";
import type { ReportError } from "./errors.js";

/**
 * A handler that runs longer is reported, because later events of the channel wait. Milliseconds.
 */
const STUCK_AFTER_MS = 30_000;

/**
 * Reports each call of a handler that is still running after 30 s, and counts these stuck handlers.
 */
export interface HandlerWatch {
  /**
   * Called when a handler has returned a promise. The returned function is called when the promise
   * settles.
   */
  begin(channel: string, event: string): () => void;
  /**
   * `isRunning`: true while the client is connected or connects by itself. Otherwise the timers are
   * stopped; afterwards they start from zero.
   */
  run(isRunning: boolean): void;
}

export function createHandlerWatch(clock: Clock, report: ReportError, count: (stuck: number) => void): HandlerWatch {
  /** One function per running handler, which starts or stops the timer of that handler. */
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
        const sentence = `${channel}: ${event}: a handler is still running after 30 s.`;
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
