/** What may wait behind one item: more than twice what a server replays at once (4,096 events, 256 KiB). */
const MOST_WAITING = 10_000;
/** Of frames, in UTF-16 units. */
const MOST_WAITING_SIZE = 2_097_152;

/** An item, and about how much of its frame is its own. */
export interface Sized {
  readonly size: number;
}

export interface OrderParts<Item> {
  /** Must neither throw nor reject. */
  readonly handle: (item: Item) => Promise<unknown> | undefined;
  /** The handling of an item is over; the next one has not begun. */
  readonly finished: (item: Item) => void;
  /** Too much waits: everything is dropped, not only the oldest until there is room for a while. */
  readonly dropsAll: boolean;
  /** These were dropped behind `current`. */
  readonly dropped: (items: readonly Item[], current: Item) => void;
}

/**
 * Hands over one item at a time: while `handle` has returned a promise that is pending, later items wait. Where nothing
 * is pending an item is handled at once, in the caller's turn.
 */
export function inOrder<Item extends Sized>(parts: OrderParts<Item>): (item: Item) => void {
  let waiting: Item[] = [];
  /** By index: shift() moves everything that is left, for each item of a burst. */
  let next = 0;
  let size = 0;
  let current: Item | undefined;

  const drain = (): void => {
    while (next < waiting.length) {
      const item = (current = waiting[next++]!);
      size -= item.size;
      if (next * 2 > waiting.length) skip();
      const pending = parts.handle(item);
      if (pending)
        return void pending.then(() => {
          parts.finished(item);
          drain();
        });
      parts.finished(item);
    }
    current = undefined;
  };

  const skip = (): void => {
    waiting = waiting.slice(next);
    next = 0;
  };

  const isBeyond = (part: number): boolean =>
    waiting.length - next > MOST_WAITING * part || size > MOST_WAITING_SIZE * part;

  return (item) => {
    waiting.push(item);
    size += item.size;
    if (!current) return drain();
    if (!isBeyond(1)) return;
    skip();
    const items = waiting;
    // A tenth more than needed, so that not each item that comes drops one. The newest stays, however large it is.
    while (parts.dropsAll ? next < items.length : next < items.length - 1 && isBeyond(0.9)) size -= items[next++]!.size;
    const dropped = items.slice(0, next);
    skip();
    parts.dropped(dropped, current);
  };
}

/** Resolves when all have finished; undefined where nothing is pending, so that what follows need not wait for a turn. */
export function together(promises: readonly (Promise<unknown> | undefined)[]): Promise<unknown> | undefined {
  const pending = promises.filter((promise) => promise !== undefined);
  return pending.length > 0 ? Promise.all(pending) : undefined;
}
