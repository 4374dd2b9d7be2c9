/**
 * Everything the client takes from the place it runs in. Fault tests replace it; nothing else in the client reads the
 * time, draws a number or looks at a global.
 */
export interface Environment {
  readonly clock: Clock;
  /** At least 0, less than 1. */
  readonly random: () => number;
  readonly hints: Hints;
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `run` once after `ms` milliseconds; the function returned calls it off. */
  after(ms: number, run: () => void): Cancel;
}

export type Cancel = () => void;

/** What the platform believes about the network. It is often wrong, so nothing is ever closed because of it. */
export interface Hints {
  isOnline(): boolean;
  subscribe(listener: (hint: Hint) => void): Cancel;
}

export type Hint = "online" | "offline" | "visible";

/** The globals the client looks at, each of which may be missing. Declared here so that no DOM types are needed. */
export interface Host extends Partial<EventSource> {
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  readonly WebSocket?: unknown;
  readonly navigator?: { readonly onLine?: boolean; readonly product?: string };
  readonly document?: EventSource & { readonly visibilityState: string };
  readonly process?: { readonly versions?: { readonly node?: string } };
}

interface EventSource {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

export const host = globalThis as unknown as Host;

/** Beyond this a timer overflows 32 bits and fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemEnvironment: Environment = {
  clock: {
    now: () => Date.now(),
    after(ms, run) {
      const timer = host.setTimeout(run, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
      return () => host.clearTimeout(timer);
    },
  },
  random: () => Math.random(),
  hints: {
    // Only a clear `false` counts: Node has a navigator without onLine.
    isOnline: () => host.navigator?.onLine !== false,
    subscribe(listener) {
      const { document } = host;
      const online = (): void => listener("online");
      const offline = (): void => listener("offline");
      const visibility = (): void => void (document?.visibilityState === "visible" && listener("visible"));
      // React Native has a global object, but no events on it; an application there passes hints of its own.
      host.addEventListener?.("online", online);
      host.addEventListener?.("offline", offline);
      document?.addEventListener("visibilitychange", visibility);
      return () => {
        host.removeEventListener?.("online", online);
        host.removeEventListener?.("offline", offline);
        document?.removeEventListener("visibilitychange", visibility);
      };
    },
  },
};
