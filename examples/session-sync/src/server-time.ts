/**
 * The time by which the clocks of sessions run: the date at which this process was started plus the
 * elapsed time since. If the computer's clock is set, no participant gains or loses time. Instances
 * on computers with correct clocks agree.
 */
export function serverTime(): Date {
  return new Date(performance.timeOrigin + performance.now());
}
