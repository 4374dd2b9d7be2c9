import type { ChannelId } from "@holdfast/protocol";
import type { ReportError } from "./errors.js";
import { type Delivery, reportDropped } from "./event.js";
import { inOrder, together } from "./in-order.js";
import type { ChannelStatus, Entry, Holder, Queued } from "./subscriptions-state.js";

export const PENDING: ChannelStatus = { name: "pending" };

export interface EntryParts {
  /** The handlers have finished with it. */
  readonly finished: (item: Queued) => void;
  readonly report: ReportError;
}

/** What is remembered of a channel that someone begins to want. */
export function createEntry(id: ChannelId, { finished, report }: EntryParts): Entry {
  const holders = new Set<Holder>();
  const recent = new Set<unknown>();
  const handle = (delivery: Delivery): Promise<unknown> | undefined =>
    together([...holders].map((holder) => holder.handle(delivery)));
  const entry: Entry = {
    id,
    holders,
    handle,
    enqueue: inOrder({
      handle: ({ delivery }) => delivery && handle(delivery),
      finished,
      dropsAll: id.contract.history !== undefined,
      dropped(items, { position }) {
        if (!id.contract.history) return reportDropped(id.wire, items.length, report);
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
