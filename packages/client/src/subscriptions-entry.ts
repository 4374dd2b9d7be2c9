import type { ChannelId } from "@holdfast/protocol";
import type { ReportError } from "./errors.js";
import { type Delivery, reportDropped } from "./event.js";
import { inOrder, together } from "./in-order.js";
import type { ChannelStatus, ChannelEntry, ChannelHolder, Queued } from "./subscriptions-state.js";

/**
 * After this many repairs in a row have led to another gap the position is given up: a loop must
 * end.
 */
export const MOST_REPAIRS = 3;

export const PENDING: ChannelStatus = { name: "pending" };

/**
 * What is remembered of a channel that someone begins to want. `finished`: the handlers have
 * finished with an item.
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
        // The server still has them, or says that it has not. None of them counts as heard.
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
 * What a `subscribe` says of a channel. The position is left out where it was given up or lost, and
 * the answer then counts as a reset.
 */
export function wanted({ id, received, repairs, state }: ChannelEntry) {
  return received && !received.reset && repairs <= MOST_REPAIRS
    ? { channel: id.wire, position: received, state }
    : id.wire;
}
