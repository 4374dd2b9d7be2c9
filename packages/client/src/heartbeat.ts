import type { Cancel, Clock } from "./clock.js";

/**
 * Notices that the other side has fallen silent. Any frame counts as life; the server promises one every interval.
 *
 *   stopped --start--> listening --probe--> probing
 *                        ^   |                | |
 *                        +---+--- heard ------+ +--- nothing within 3 s ---> onSilent
 *
 * One timer, and none is set when a frame arrives: when it fires it looks at the time of the last frame and goes on for the
 * remainder.
 */
export interface Heartbeat {
  /** From now on a frame is due every `limitMs`. */
  start(limitMs: number): void;
  heard(): void;
  /** Asks at once, because something suggests that the connection may be gone. */
  probe(): void;
  stop(): void;
}

/** G11: a dead peer is noticed within 3 s after wake. */
const PROBE_MS = 3_000;

type State =
  | { name: "stopped" }
  | { name: "listening"; limitMs: number; heardAt: number; cancel: Cancel }
  | { name: "probing"; limitMs: number; cancel: Cancel };

export function createHeartbeat(clock: Clock, wire: { ping(): void; silent(): void }): Heartbeat {
  let state: State = { name: "stopped" };

  const stop = (): void => {
    if (state.name !== "stopped") state.cancel();
    state = { name: "stopped" };
  };

  const giveUp = (): void => {
    stop();
    wire.silent();
  };

  const listen = (limitMs: number, heardAt: number): void => {
    const dueAt = heardAt + limitMs;
    const cancel = clock.after(dueAt - clock.now(), () => {
      if (state.name !== "listening") return;
      if (state.heardAt > heardAt) return listen(limitMs, state.heardAt);
      // A timer that fires long after it was due means that the machine slept or the page was frozen. Frames may lie
      // unread; ask before giving the connection up.
      if (clock.now() - dueAt > PROBE_MS) probe();
      else giveUp();
    });
    state = { name: "listening", limitMs, heardAt, cancel };
  };

  const probe = (): void => {
    if (state.name !== "listening") return;
    const { limitMs } = state;
    state.cancel();
    const cancel = clock.after(PROBE_MS, giveUp);
    state = { name: "probing", limitMs, cancel };
    wire.ping();
  };

  return {
    start(limitMs) {
      stop();
      listen(limitMs, clock.now());
    },
    heard() {
      if (state.name === "listening") state.heardAt = clock.now();
      else if (state.name === "probing") {
        state.cancel();
        listen(state.limitMs, clock.now());
      }
    },
    probe,
    stop,
  };
}
