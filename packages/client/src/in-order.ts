/**
 * Hands over one item at a time: while `handle` has returned a promise that is pending, later items wait. Where nothing
 * is pending an item is handled at once, in the caller's turn. `finished` is called when its handling is over, before the
 * next one begins. `handle` must neither throw nor reject.
 */
export function inOrder<Item>(
  handle: (item: Item) => Promise<unknown> | undefined,
  finished: (item: Item) => void,
): (item: Item) => void {
  let waiting: Item[] = [];
  let busy = false;

  const drain = (): void => {
    // By index: shift() moves everything that is left, for each item of a burst.
    for (let index = 0; index < waiting.length; index++) {
      const item = waiting[index]!;
      const pending = handle(item);
      if (pending) {
        waiting = waiting.slice(index + 1);
        void pending.then(() => {
          finished(item);
          drain();
        });
        return;
      }
      finished(item);
    }
    waiting = [];
    busy = false;
  };

  return (item) => {
    waiting.push(item);
    if (busy) return;
    busy = true;
    drain();
  };
}

/** Resolves when all have finished; undefined where nothing is pending, so that what follows need not wait for a turn. */
export function together(promises: readonly (Promise<unknown> | undefined)[]): Promise<unknown> | undefined {
  const pending = promises.filter((promise) => promise !== undefined);
  return pending.length > 0 ? Promise.all(pending) : undefined;
}
