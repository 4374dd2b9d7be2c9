import type { Cancel } from "@holdfast/protocol";
import type { Clock } from "./clock.js";

/**
 * Detects a dead peer. Every received frame proves that the peer is alive, and the server has to
 * send at least one frame every `limitMs`.
 *
 *   stopped --start--> listening --probe--> probing
 *                        ^   |                | |
 *                        +---+--- heard ------+ +--- no frame within 3 s ---> silent
 *
 * There is one timer, and a received frame does not restart the timer. If a frame arrived while the
 * timer ran, the timer starts again for the rest of the limit.
 *
 * Silence is measured only with the monotonic clock, so a change of the wall clock never ends a
 * connection. While a machine sleeps, some platforms stop the monotonic clock and the timers. On
 * those platforms the sleep does not count as silence, and a connection that died during the sleep
 * is detected 3 s after a hint of the platform or after the rest of the limit. On other platforms
 * the clock continues, and the timer is overdue when the machine wakes.
 */
export interface Watchdog {
  /** Starts the watch: from now on the server must send a frame at least every `limitMs`. */
  start(limitMs: number): void;
  heard(): void;
  /**
   * Sends a ping at once, because a hint suggests that the connection may be dead. Does nothing
   * while the watchdog is stopped or a probe is waiting for a frame.
   */
  probe(): void;
  stop(): void;
}

/** Rule G11: the client detects a dead peer within 3 s after the machine wakes. */
const PROBE_MS = 3_000;

export function createHeartbeat(clock: Clock, wire: { ping(): void; silent(): void }): Watchdog {
  let limitMs = 0;
  let heardAt = 0;
  let isProbing = false;
  /** Cancels the timer. Undefined while the watchdog is stopped. */
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
      // If either clock shows that much more time has passed than the timer waited for, the machine
      // may have slept or the page was frozen. Unread frames may be waiting, so the client probes
      // before it reports a dead peer. The wall clock counts too, because the monotonic clock may
      // have stopped during the sleep. If the wall clock was only set forwards, the probe costs one
      // frame and at most 3 s.
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
