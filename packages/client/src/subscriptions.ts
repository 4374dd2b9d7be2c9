import {
  type ChannelId,
  type ClientMessage,
  HoldfastError,
  type Position,
  type ResetReason,
  type ServerMessage,
  type SubscribeResult,
} from "@holdfast/protocol";
import { type ConnectionState, isOver, notConnected } from "./connection-state.js";
import type { ReportError } from "./errors.js";
import { type Delivery, type Event, readEvent } from "./event.js";
import { inOrder, together } from "./in-order.js";
import type { Logger } from "./options.js";

/**
 * Remembers which channels are wanted, by whom, and what the server knows of it. Wanted and wire are brought together once
 * in a microtask, so that leaving and joining again in one turn sends nothing, and channels joined together travel together.
 */
export interface Subscriptions {
  join(id: ChannelId, holder: Holder): void;
  leave(id: ChannelId, holder: Holder): void;
  /** Tells the holder at once if there is nothing to wait for. */
  expect(holder: Holder): void;
  setState(state: ConnectionState): void;
  settle(response: Extract<ServerMessage, { type: "subscribe_response" }>): void;
  /** Refuses what was asked for under this id; false if nothing was. */
  refuse(correlationId: string | undefined, error: HoldfastError): boolean;
  /** The server has taken the connection off a channel. */
  withdraw(channel: string, error: HoldfastError): void;
  deliver(event: Event): void;
  reset(channel: string, reason: ResetReason): void;
  /** Hands a message about a channel that is no event to the handlers under `$` and its type, at once. */
  tell(message: { readonly type: string; readonly channel: string }): void;
  /** What is remembered of a channel while it is wanted. */
  entry(id: ChannelId): Entry | undefined;
}

export type ChannelStatus =
  | { readonly name: "idle" }
  | { readonly name: "pending" }
  | { readonly name: "subscribed" }
  | { readonly name: "refused"; readonly error: HoldfastError };

/** Someone who wants a channel: one handle of the application. */
export interface Holder {
  /** Whether anyone would notice this event; what no one hears is not even validated. */
  hears(event: string): boolean;
  /** Calls the handlers; the promise, where one of them returned one, resolves when all have finished. */
  handle(delivery: Delivery): Promise<unknown> | undefined;
  setStatus(status: ChannelStatus): void;
  /** No connection will come by itself. */
  over(error: HoldfastError): void;
}

/**
 * Handlers for what is no event stand beside those for events, under names that no event can have. `$joining` comes when
 * `subscribe` was sent, before anything else is: what a channel has to be told on each join follows right behind it.
 */
export const RESET = "$reset";
export const JOINING = "$joining";

/**
 * What the server knows of a channel. Nothing is sent about it while it is `joining`: the verdict comes first, so that an
 * `unsubscribe` can never overtake the `subscribe` before it.
 *
 *   absent --subscribe--> joining --verdict--> joined --unsubscribe--> absent
 *                            |                 | unsubscribed
 *                            +-------refusal-> refused          (a dropped connection: absent, from everywhere)
 */
type Wire = { name: "absent" } | { name: "joining"; batch: string } | { name: "joined" } | { name: "refused" };

export interface Entry {
  readonly id: ChannelId;
  readonly holders: Set<Holder>;
  readonly handle: Holder["handle"];
  readonly enqueue: (delivery: Delivery) => void;
  wire: Wire;
  status: ChannelStatus;
  /** It was live before, so events may have been missed since. */
  resumes: boolean;
}

/** 100 names of 255 characters with their positions stay below the 64 KiB a server accepts by default. */
const MOST_IN_ONE_MESSAGE = 100;

/** Stands for "I was here, and cannot say up to where": no history has an epoch without a name. */
const NOWHERE: Position = { epoch: "", offset: 0, id: "" };

const PENDING: ChannelStatus = { name: "pending" };
const SUBSCRIBED: ChannelStatus = { name: "subscribed" };

export interface SubscriptionsParts {
  readonly nextId: () => string;
  readonly send: (message: ClientMessage) => void;
  readonly report: ReportError;
  readonly logger: Logger;
}

export function createSubscriptions(parts: SubscriptionsParts): Subscriptions {
  const entries = new Map<string, Entry>();
  let state: ConnectionState = { name: "idle" };
  let scheduled = false;

  /** Whatever is sent now is handled, at the latest right behind `auth`. */
  const isUp = (): boolean => state.name === "authenticating" || state.name === "ready";

  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    void Promise.resolve().then(reconcile);
  };

  const reconcile = (): void => {
    scheduled = false;
    const joining: Entry[] = [];
    const leaving: string[] = [];
    for (const entry of entries.values()) {
      const { wire } = entry;
      if (entry.holders.size > 0) {
        if (wire.name === "absent") joining.push(entry);
      } else if (wire.name !== "joining") {
        if (wire.name === "joined") leaving.push(entry.id.wire);
        entries.delete(entry.id.wire);
      }
    }
    if (!isUp()) return;
    for (const channels of chunks(leaving)) parts.send({ type: "unsubscribe", data: { channels } });
    for (const chunk of chunks(joining)) {
      const batch = parts.nextId();
      for (const entry of chunk) entry.wire = { name: "joining", batch };
      parts.send({ type: "subscribe", correlation_id: batch, data: { channels: chunk.map(wanted) } });
      for (const entry of chunk) void entry.handle({ event: JOINING, value: batch });
    }
  };

  const setStatus = (entry: Entry, status: ChannelStatus): void => {
    entry.status = status;
    for (const holder of [...entry.holders]) holder.setStatus(status);
  };

  const refuse = (entry: Entry, error: HoldfastError): void => {
    entry.wire = { name: "refused" };
    setStatus(entry, { name: "refused", error });
  };

  const create = (id: ChannelId): Entry => {
    const holders = new Set<Holder>();
    const handle = (delivery: Delivery): Promise<unknown> | undefined =>
      together([...holders].map((holder) => holder.handle(delivery)));
    const entry: Entry = {
      id,
      holders,
      handle,
      enqueue: inOrder(handle),
      wire: { name: "absent" },
      status: PENDING,
      resumes: false,
    };
    entries.set(id.wire, entry);
    return entry;
  };

  const deliver = (message: Event): void => {
    const { channel, event } = message;
    const entry = entries.get(channel);
    const schema = entry?.id.contract.events.get(event);
    if (!entry || !schema) {
      // Left a moment ago, or published by a server with a newer protocol.
      return parts.logger.debug({ channel, event }, "An event that is not wanted was ignored.");
    }
    if (![...entry.holders].some((holder) => holder.hears(event))) return;
    const delivery = readEvent(schema, message, parts.report);
    if (delivery) entry.enqueue(delivery);
  };

  const reset = (entry: Entry | undefined, reason: ResetReason): void =>
    entry?.enqueue({ event: RESET, value: { reason } });

  const settleOne = (entry: Entry, result: SubscribeResult): void => {
    if (!result.ok) return refuse(entry, HoldfastError.fromWire(result.error));
    entry.wire = { name: "joined" };
    // A server that says neither what was missed nor that it cannot know has not proved that nothing was missed.
    const unproved = entry.resumes && entry.id.contract.history && !result.missed ? "server" : undefined;
    const reason = result.reset ?? unproved;
    entry.resumes = true;
    // Before any newer event.
    if (reason) reset(entry, reason);
    else result.missed?.forEach(deliver);
    setStatus(entry, SUBSCRIBED);
  };

  const inBatch = (batch: string): Entry[] =>
    [...entries.values()].filter(({ wire }) => wire.name === "joining" && wire.batch === batch);

  return {
    join(id, holder) {
      const entry = entries.get(id.wire) ?? create(id);
      // Leaving and joining again is how one asks again after a refusal.
      if (entry.wire.name === "refused" && entry.holders.size === 0)
        [entry.wire, entry.status] = [{ name: "absent" }, PENDING];
      entry.holders.add(holder);
      holder.setStatus(entry.status);
      schedule();
    },
    expect(holder) {
      if (isOver(state)) holder.over(notConnected(state));
    },
    leave(id, holder) {
      entries.get(id.wire)?.holders.delete(holder);
      schedule();
    },
    setState(next) {
      state = next;
      // At once, not in a microtask: it travels right behind `auth`.
      if (isUp()) return reconcile();
      for (const entry of entries.values()) {
        entry.wire = { name: "absent" };
        if (entry.status.name !== "pending") setStatus(entry, PENDING);
        if (isOver(state)) for (const holder of [...entry.holders]) holder.over(notConnected(state));
      }
      schedule();
    },
    settle({ correlation_id: batch, data }) {
      for (const result of data.results) {
        const entry = entries.get(result.channel);
        if (entry?.wire.name === "joining" && entry.wire.batch === batch) settleOne(entry, result);
      }
      schedule();
    },
    refuse(batch, error) {
      const refused = batch === undefined ? [] : inBatch(batch);
      for (const entry of refused) refuse(entry, error);
      return refused.length > 0;
    },
    withdraw(channel, error) {
      const entry = entries.get(channel);
      // One that was left, or is being joined again, is past that.
      if (entry?.wire.name === "joined") refuse(entry, error);
    },
    deliver,
    reset: (channel, reason) => reset(entries.get(channel), reason),
    tell: (message) => void entries.get(message.channel)?.handle({ event: `$${message.type}`, value: message }),
    entry: (id) => entries.get(id.wire),
  };
}

/** Positions find their place here. */
function wanted({ id, resumes }: Entry): string | { channel: string; position: Position } {
  return resumes && id.contract.history ? { channel: id.wire, position: NOWHERE } : id.wire;
}

function chunks<Item>(items: readonly Item[]): Item[][] {
  const found: Item[][] = [];
  for (let start = 0; start < items.length; start += MOST_IN_ONE_MESSAGE) {
    found.push(items.slice(start, start + MOST_IN_ONE_MESSAGE));
  }
  return found;
}
