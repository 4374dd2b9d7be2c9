/**
 * The most items that may wait: more than twice the 4,096 events (256 KiB) that a server replays at
 * once.
 */
const MOST_WAITING = 10_000;
/** The most frame data that may wait, in UTF-16 units. */
const MOST_WAITING_SIZE = 2_097_152;

/** An item with its approximate share of the frame's size, in UTF-16 units. */
export interface Sized {
  readonly size: number;
}

export interface OrderParts<Item> {
  /** Must neither throw nor reject. */
  readonly handle: (item: Item) => Promise<unknown> | undefined;
  /** Called when the handling of an item has ended, before the next item begins. */
  readonly finished: (item: Item) => void;
  /**
   * Decides which items are dropped when the queue exceeds a limit. True: all waiting items. False:
   * the oldest items, until the queue is at 90 % of its limits.
   */
  readonly dropsAll: boolean;
  /** Called with the items that were dropped while `current` was handled. */
  readonly dropped: (items: readonly Item[], current: Item) => void;
}

/**
 * Handles one item at a time. While the promise that `handle` returned is pending, later items
 * wait. If no item is being handled, a new item is handled synchronously.
 */
export function inOrder<Item extends Sized>(parts: OrderParts<Item>): (item: Item) => void {
  /** A Set, because the oldest item is removed without moving the others. */
  const waiting = new Set<Item>();
  let size = 0;
  let current: Item | undefined;

  const take = (item: Item): Item => {
    waiting.delete(item);
    size -= item.size;
    return item;
  };

  const drain = async (): Promise<void> => {
    for (const item of waiting) {
      current = take(item);
      const pending = parts.handle(item);
      if (pending) await pending;
      parts.finished(item);
    }
    current = undefined;
  };

  const isBeyond = (part: number): boolean => waiting.size > MOST_WAITING * part || size > MOST_WAITING_SIZE * part;

  return (item) => {
    waiting.add(item);
    size += item.size;
    if (!current) return void drain();
    if (!isBeyond(1)) return;
    const dropped: Item[] = [];
    // Without `dropsAll`, the queue shrinks to 90 % of its limits, so that during a burst not every
    // new item causes a drop, and the newest item stays however large it is.
    for (const oldest of waiting) if (parts.dropsAll || (waiting.size > 1 && isBeyond(0.9))) dropped.push(take(oldest));
    parts.dropped(dropped, current);
  };
}

/**
 * Resolves when all promises have resolved. Undefined if the list contains no promise, so that the
 * caller can continue synchronously.
 */
export function together(promises: readonly (Promise<unknown> | undefined)[]): Promise<unknown> | undefined {
  const pending = promises.filter((promise) => promise !== undefined);
  return pending.length > 0 ? Promise.all(pending) : undefined;
}
