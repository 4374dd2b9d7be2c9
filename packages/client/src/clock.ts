export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `run` once after `ms` milliseconds; the function returned calls it off. */
  after(ms: number, run: () => void): Cancel;
}

export type Cancel = () => void;
