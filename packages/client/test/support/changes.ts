/**
 * Calls `listener` on every later change, but not with the current value, which `subscribe` passes
 * at once.
 */
export function onChange<Args extends unknown[]>(
  { subscribe }: { subscribe(listener: (...args: Args) => void): () => void },
  listener: (...args: Args) => unknown,
): () => void {
  let isFirst = true;
  const off = subscribe((...args) => (isFirst ? undefined : listener(...args)));
  isFirst = false;
  return off;
}
