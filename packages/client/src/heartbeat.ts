import type { Cancel } from "@holdfast/protocol";
import type { Clock } from "./clock.js";

/**
 * Notices that the other side has fallen silent. Any frame counts as life; the server promises one
 * every interval.
 *
 *   stopped --start--> listening --probe--> probing
 *                        ^   |                | |
 *                        +---+--- heard ------+ +--- nothing within 3 s ---> onSilent
 *
 * One timer, and none is set when a frame arrives: when it fires it looks at the time of the last
 * frame and goes on for the remainder.
 *
 * Silence is measured with the monotonic clock alone, so nothing that is done to the wall clock
 * ends a connection. While a machine sleeps, the monotonic clock and the timers stop on some
 * platforms and go on on others. Where they stop, the sleep does not count as silence, and a
 * connection that died meanwhile is found by a hint of the platform (3 s after waking) or when the
 * rest of the limit is over. Where they go on, the timer is overdue when the machine wakes.
 */
export interface Watchdog {
  /** From now on a frame is due every `limitMs`. */
  start(limitMs: number): void;
  heard(): void;
  /** Asks at once, because something suggests that the connection may be gone. */
  probe(): void;
  stop(): void;
}

/** G11: a dead peer is noticed within 3 s after wake. */
const PROBE_MS = 3_000;

export function createHeartbeat(clock: Clock, wire: { ping(): void; silent(): void }): Watchdog {
  let limitMs = 0;
  let heardAt = 0;
  let isProbing = false;
  /** Of the one timer. Undefined: stopped. */
  let cancel: Cancel | undefined;

  const stop = (): void => {
    cancel?.();
    cancel = undefined;
  };

  const wait = (ms: number, run: () => void): void => {
    cancel?.();
    cancel = clock.after(ms, run);
  };

  const giveUp = (): void => {
    stop();
    wire.silent();
  };

  const listen = (): void => {
    isProbing = false;
    const since = heardAt;
    const from = clock.monotonic();
    const waitMs = since + limitMs - from;
    // oxlint-disable-next-line no-restricted-properties -- a hint that the machine has slept
    const date = clock.now();
    wait(waitMs, () => {
      if (heardAt > since) return listen();
      // If more time has passed than was waited for, by whichever clock, then the machine may have
      // slept, or the page was frozen. Frames may lie unread, so ask before giving the connection
      // up. The wall clock counts because the monotonic one may have stopped during the sleep; if
      // it was only set forwards, the question costs a frame and at most 3 s.
      // oxlint-disable-next-line no-restricted-properties -- a hint that the machine has slept
      const lateMs = Math.max(clock.now() - date, clock.monotonic() - from) - waitMs;
      if (lateMs > PROBE_MS) probe();
      else giveUp();
    });
  };

  const probe = (): void => {
    if (!cancel || isProbing) return;
    isProbing = true;
    wait(PROBE_MS, giveUp);
    wire.ping();
  };

  const heard = (): void => {
    heardAt = clock.monotonic();
    if (cancel && isProbing) listen();
  };

  return {
    start(ms) {
      limitMs = ms;
      heardAt = clock.monotonic();
      listen();
    },
    heard,
    probe,
    stop,
  };
}
