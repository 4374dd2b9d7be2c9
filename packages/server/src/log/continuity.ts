import type { Link, Position, ResetReason } from "@holdfast/protocol";

/** Something that has its place in a chain. */
export interface Linked {
  readonly link: Link;
}

/** What is known of a chain: where it stands, and its last links without a hole. */
export interface Chain<Item extends Linked> {
  readonly position: Position;
  readonly items: readonly Item[];
}

/** Whether a position can be continued: with everything since, or not. Never with a part of it. */
export type Continuation<Item> =
  { readonly ok: true; readonly missed: readonly Item[] } | { readonly ok: false; readonly reset: ResetReason };

/**
 * The verdict, for a client that comes back and for an instance that has missed something. Epoch
 * and offset alone are no proof: a store that was rolled back issues the same offsets again. The
 * ids are: none is ever issued twice.
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
  // A store with a hole in it is not to be believed, whatever the reason.
  return isChain(missed, position) ? { ok: true, missed } : { ok: false, reset: "server" };
}

/** Whether each names the one before it, and the last is where the chain stands. */
function isChain(items: readonly Linked[], position: Position): boolean {
  const linked = items.every(({ link }, index) => {
    const before = items[index - 1]?.link;
    return !before || (link.offset === before.offset + 1 && link.prev === before.id);
  });
  const last = items.at(-1)?.link;
  return linked && last?.offset === position.offset && last.id === position.id;
}
