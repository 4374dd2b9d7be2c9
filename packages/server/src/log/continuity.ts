import type { Link, Position, ResetReason } from "@holdfast/protocol";

/** An event or publication with its link in a chain. */
export interface Linked {
  readonly link: Link;
}

/** The known part of a chain: its position, and the latest items without a gap. */
export interface Chain<Item extends Linked> {
  readonly position: Position;
  readonly items: readonly Item[];
}

/**
 * The answer to a position: all missed items, or the reason for a reset. The answer never contains
 * only a part of the missed items.
 */
export type Continuation<Item> =
  { readonly ok: true; readonly missed: readonly Item[] } | { readonly ok: false; readonly reset: ResetReason };

/**
 * Decides whether a position can be continued, for a client that resumes and for an instance that
 * missed publications. Epoch and offset alone prove nothing: after a roll-back, the store assigns
 * the same offsets again. The ids prove the match, because no id is ever used twice.
 */
export function continuation<Item extends Linked>(
  from: Position,
  { position, items }: Chain<Item>,
): Continuation<Item> {
  if (from.epoch !== position.epoch) return { ok: false, reset: "epoch" };
  if (from.offset === position.offset)
    return from.id === position.id ? { ok: true, missed: [] } : { ok: false, reset: "fork" };
  if (from.offset > position.offset) return { ok: false, reset: "fork" };
  const first = items.findIndex(({ link }) => link.offset === from.offset + 1);
  if (first < 0) return { ok: false, reset: "trimmed" };
  const missed = items.slice(first);
  if (missed[0]!.link.prev !== from.id) return { ok: false, reset: "fork" };
  // If the store has a gap, its events cannot be trusted.
  return isChain(missed, position) ? { ok: true, missed } : { ok: false, reset: "server" };
}

/** Whether each item links to its predecessor, and the last item is at the position. */
function isChain(items: readonly Linked[], position: Position): boolean {
  const linked = items.every(({ link }, index) => {
    const before = items[index - 1]?.link;
    return !before || (link.offset === before.offset + 1 && link.prev === before.id);
  });
  const last = items.at(-1)?.link;
  return linked && last?.offset === position.offset && last.id === position.id;
}
