import type { Cancel } from "@holdfast/protocol";

export interface Clock {
  /**
   * The wall clock: milliseconds since 1970. Users and the system can change this clock at any
   * time, so the client reads the wall clock only for dates that are shown and as a hint that the
   * machine has slept.
   */
  now(): number;
  /**
   * Milliseconds since an arbitrary time. This clock never goes back, so every elapsed time is
   * the difference of two of its readings.
   */
  monotonic(): number;
  /** Calls `run` once after `ms` milliseconds. The returned function cancels the call. */
  after(ms: number, run: () => void): Cancel;
}
