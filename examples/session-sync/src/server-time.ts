/**
 * The time by which the clocks of sessions run: the date at which this process was started, and
 * what has passed since. If the computer's clock is set, nobody gains or loses time by it.
 * Instances on computers whose clocks are right agree on it.
 */
export function serverTime(): Date {
  return new Date(performance.timeOrigin + performance.now());
}
