/**
 * What may wait behind one item: more than twice what a server replays at once (4,096 events, 256
 * KiB).
 */
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
 * Hands over one item at a time: while `handle` has returned a promise that is pending, later items
 * wait. Where nothing is pending an item is handled at once, in the caller's turn.
 */
export function inOrder<Item extends Sized>(parts: OrderParts<Item>): (item: Item) => void {
  /** A set: the oldest is removed without moving the others, for each item of a burst. */
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
    // A tenth more than needed, so that not each item that comes drops one. The newest stays,
    // however large it is.
    for (const oldest of waiting) if (parts.dropsAll || (waiting.size > 1 && isBeyond(0.9))) dropped.push(take(oldest));
    parts.dropped(dropped, current);
  };
}

/**
 * Resolves when all have finished; undefined where nothing is pending, so that what follows need
 * not wait for a turn.
 */
export function together(promises: readonly (Promise<unknown> | undefined)[]): Promise<unknown> | undefined {
  const pending = promises.filter((promise) => promise !== undefined);
  return pending.length > 0 ? Promise.all(pending) : undefined;
}
