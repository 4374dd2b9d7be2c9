/** Time left, in whole seconds begun: 4:07, 1:02:03; over time with a plus: +0:12. */
export function countdown(ms: number): string {
  const seconds = ms > 0 ? Math.ceil(ms / 1_000) : Math.floor(-ms / 1_000);
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (part: number): string => String(part).padStart(2, "0");
  const text = hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
  return ms <= -1_000 ? `+${text}` : text;
}

/** Time used, in whole seconds passed. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
