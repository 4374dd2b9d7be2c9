import type { Cancel } from "@holdfast/protocol";

export interface Clock {
  /**
   * The wall clock: milliseconds since 1970. It can be set at any moment, so only dates that are
   * shown are read from it.
   */
  now(): number;
  /**
   * Milliseconds since an arbitrary moment, never set back. Every elapsed time is the difference of
   * two of these readings.
   */
  monotonic(): number;
  /** Calls `run` once after `ms` milliseconds; the function returned calls it off. */
  after(ms: number, run: () => void): Cancel;
}
