import type { Cancel } from "@holdfast/protocol";
import type { Clock } from "./clock.js";
import { host, listen } from "./host.js";
import { monotonic } from "./monotonic.js";
import { openSocket } from "./socket.js";
import type { OpenSocket } from "./socket-contract.js";

/**
 * Everything the client takes from the place it runs in. Fault tests replace it; nothing else in
 * the client reads the time, draws a number, opens a socket or looks at a global.
 */
export interface ClientEnvironment {
  readonly clock: Clock;
  /** At least 0, less than 1. */
  readonly random: () => number;
  readonly hints: Hints;
  readonly openSocket: OpenSocket;
}

/** The option: each member that is left out, of the clock too, is the platform's. */
export type EnvironmentOption = Partial<Omit<ClientEnvironment, "clock">> & {
  readonly clock?: Partial<Clock> | undefined;
};

/**
 * What the platform believes about the network. It is often wrong, so nothing is ever closed
 * because of it.
 */
export interface Hints {
  isOnline(): boolean;
  subscribe(listener: (hint: Hint) => void): Cancel;
}

export type Hint = "online" | "offline" | "visible";

/** Beyond this a timer overflows 32 bits and fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const systemClock: Clock = {
  now: () => Date.now(),
  // Some platforms stop this reading while the machine sleeps, and their timers with it;
  // heartbeat.ts says what follows.
  monotonic,
  after(ms, run) {
    const timer = host.setTimeout(run, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
    return () => host.clearTimeout(timer);
  },
};

/** Bound, because a clock may be an object of a class with fields of its own. */
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
    // Only a clear `false` counts: Node has a navigator without onLine.
    isOnline: () => host.navigator?.onLine !== false,
    subscribe(listener) {
      const { document } = host;
      // React Native has a global object, but no events on it; an application there passes hints of
      // its own.
      const stops = [
        listen(host, "online", () => listener("online")),
        listen(host, "offline", () => listener("offline")),
        listen(document, "visibilitychange", () => document?.visibilityState === "visible" && listener("visible")),
      ];
      return () => stops.forEach((stop) => stop());
    },
  },
};
