import type { Cancel } from "@holdfast/protocol";
import type { Clock } from "./clock.js";
import { host, listen } from "./host.js";
import { monotonic } from "./monotonic.js";
import { openSocket } from "./socket.js";
import type { OpenSocket } from "./socket-contract.js";

/**
 * The clock, the random numbers, the network hints and the sockets of the platform. Tests replace
 * them, so no other code of the client reads the time, draws random numbers or opens a socket.
 */
export interface ClientEnvironment {
  readonly clock: Clock;
  /** At least 0, less than 1. */
  readonly random: () => number;
  readonly hints: Hints;
  readonly openSocket: OpenSocket;
}

/**
 * The option `environment`. For each member that is left out, even of the clock, the client uses
 * the platform's own.
 */
export type EnvironmentOption = Partial<Omit<ClientEnvironment, "clock">> & {
  readonly clock?: Partial<Clock> | undefined;
};

/**
 * The platform's reports about the network and the page's visibility. Such reports are often wrong,
 * so the client never closes a connection because of a report alone.
 */
export interface Hints {
  isOnline(): boolean;
  subscribe(listener: (hint: Hint) => void): Cancel;
}

export type Hint = "online" | "offline" | "visible";

/**
 * The longest delay of a platform's timer. A longer delay would overflow 32 bits, and the timer
 * would fire at once.
 */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const systemClock: Clock = {
  now: () => Date.now(),
  // Some platforms stop this clock and the timers while the machine sleeps. heartbeat.ts describes
  // the consequences.
  monotonic,
  after(ms, run) {
    const timer = host.setTimeout(run, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
    return () => host.clearTimeout(timer);
  },
};

/** Binds the methods, because a clock may be an instance of a class with fields. */
export function clockOf(given: Partial<Clock> = {}): Clock {
  const member = <Name extends keyof Clock>(name: Name): Clock[Name] =>
    (given[name]?.bind(given) as Clock[Name] | undefined) ?? systemClock[name];
  return { now: member("now"), monotonic: member("monotonic"), after: member("after") };
}

export const systemEnvironment: ClientEnvironment = {
  clock: systemClock,
  random: () => Math.random(),
  openSocket,
  hints: {
    // Only `false` counts as offline, because Node has a navigator without `onLine`.
    isOnline: () => host.navigator?.onLine !== false,
    subscribe(listener) {
      const { document } = host;
      // React Native has a global object without these events. An application there passes its own
      // hints.
      const stops = [
        listen(host, "online", () => listener("online")),
        listen(host, "offline", () => listener("offline")),
        listen(document, "visibilitychange", () => document?.visibilityState === "visible" && listener("visible")),
      ];
      return () => stops.forEach((stop) => stop());
    },
  },
};
