/** Time left, in whole seconds begun: 4:07, 1:02:03; over time with a plus: +0:12. */
export function countdown(ms: number): string {
  const seconds = ms > 0 ? Math.ceil(ms / 1_000) : Math.floor(-ms / 1_000);
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (part: number): string => String(part).padStart(2, "0");
  const text = hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
  return ms <= -1_000 ? `+${text}` : text;
}
