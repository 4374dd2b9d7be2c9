/**
 * Calls `listener` on every change from now on. The present value, which `subscribe` tells at once,
 * is left out.
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
