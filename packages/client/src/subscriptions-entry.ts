import type { ChannelId } from "@holdfast/protocol";
import type { ReportError } from "./errors.js";
import { type Delivery, reportDropped } from "./event.js";
import { inOrder, together } from "./in-order.js";
import type { ChannelStatus, ChannelEntry, ChannelHolder, Queued } from "./subscriptions-state.js";

/**
 * How often in a row the client subscribes with its position to recover missing events. After that
 * it subscribes without the position, because a server whose answers never close the gap would
 * otherwise keep the client in a loop.
 */
export const MOST_REPAIRS = 3;

export const PENDING: ChannelStatus = { name: "pending" };

/**
 * Creates the entry of a channel that a handle begins to want. `finished` is called when the
 * handlers have finished with an item.
 */
export function createEntry(
  id: ChannelId,
  finished: (entry: ChannelEntry, item: Queued) => void,
  report: ReportError,
): ChannelEntry {
  const { history } = id.contract;
  const holders = new Set<ChannelHolder>();
  const recent = new Set<unknown>();
  const handle = (delivery: Delivery): Promise<unknown> | undefined =>
    together([...holders].map((holder) => holder.handle(delivery)));
  const entry: ChannelEntry = {
    id,
    holders,
    handle,
    enqueue: inOrder({
      handle: ({ delivery }) => delivery && handle(delivery),
      finished: (item) => finished(entry, item),
      dropsAll: history !== undefined,
      dropped(items, { position }) {
        if (!history) return reportDropped(id.wire, items.length, report);
        // The server still stores the dropped events, or will answer with a reset. Their ids are
        // removed from `recent`, so that the replayed events are delivered.
        for (const item of items) recent.delete(item.id);
        entry.received = position;
        entry.state = undefined;
        entry.overrun = true;
      },
    }),
    wire: "absent",
    status: PENDING,
    received: undefined,
    recent,
    repairs: 0,
  };
  return entry;
}

/**
 * The item of a `subscribe` for this channel. After too many repairs, or if the stored position is
 * no longer valid, the item has no position, and the client treats the answer as a reset.
 */
export function wanted({ id, received, repairs, state }: ChannelEntry) {
  return received && !received.reset && repairs <= MOST_REPAIRS
    ? { channel: id.wire, position: received, state }
    : id.wire;
}
