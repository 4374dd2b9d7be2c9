/**
 * Returns the running call with this name, or starts a new one. Concurrent callers share one call
 * and its result.
 */
export function singleFlight<Result>(
  running: Map<string, Promise<Result>>,
  name: string,
  begin: () => Promise<Result>,
): Promise<Result> {
  const found = running.get(name);
  if (found) return found;
  const begun = begin().finally(() => running.delete(name));
  running.set(name, begun);
  return begun;
}
