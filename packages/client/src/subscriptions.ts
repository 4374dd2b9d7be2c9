import {
  type Cancel,
  type ClientMessage,
  HoldfastError,
  type Link,
  type Position,
  type ResetReason,
  type SubscribeResult,
} from "@holdfast/protocol";
import { links } from "@holdfast/protocol/internal";
import { noteIgnored } from "./check-event.js";
import type { Clock } from "./clock.js";
import type { ConnectionState } from "./connection-state.js";
import { isOver, notConnected, wasAsked, whyNotYet } from "./connection-status.js";
import type { ReportError } from "./errors.js";
import { readEvent } from "./event.js";
import type { KeptPositions } from "./keep-positions.js";
import type { Logger } from "./options.js";
import type { Sendable } from "./sendable.js";
import { createEntry, MOST_REPAIRS, PENDING, wanted } from "./subscriptions-entry.js";
import {
  type ChannelStatus,
  type ChannelEntry,
  type ChannelHolder,
  type InOrder,
  JOINING,
  type Queued,
  RESET,
  SYNC,
  type ChannelSubscriptions,
} from "./subscriptions-state.js";

/** The most channels that wait for an answer. A server closes with 4429 if more than 4,096 wait. */
const MOST_JOINING = 1_000;

/**
 * How many event ids are remembered for each channel with history. After a reset, a server that has
 * not noticed a roll-back of the store yet may send events that the client has already received.
 */
const MOST_RECENT = 256;

/** A postponed channel is subscribed to again after 1 s plus a random part of 2 s. Milliseconds. */
const AGAIN_AFTER_MS = 1_000;
const AGAIN_WITHIN_MS = 2_000;

/** Stands for the unknown position of a joined channel. A real epoch is never empty. */
const NOWHERE: Position = { epoch: "", offset: 0, id: "" };
const SUBSCRIBED: ChannelStatus = { name: "subscribed" };

export interface SubscriptionsParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly positions: KeptPositions | undefined;
  readonly nextId: () => string;
  readonly send: (message: ClientMessage) => void;
  readonly sendable: Pick<Sendable, "split">;
  readonly fault: (message: ClientMessage) => HoldfastError | undefined;
  readonly report: ReportError;
  readonly logger: Logger;
  /** The server's address for error texts, without user, password and query. */
  readonly address: string;
}

/**
 * In a microtask after a change, sends the difference between the wanted and the joined channels.
 * If one turn leaves and joins a channel, nothing is sent; channels that it joins share messages.
 */
export function createSubscriptions(parts: SubscriptionsParts): ChannelSubscriptions {
  const { positions } = parts;
  const entries = new Map<string, ChannelEntry>();
  let state: ConnectionState = { name: "idle" };
  /** The timer for all `postponed` channels. Runs only while the connection is up. */
  let cancelAgain: Cancel | undefined;
  let scheduled = false;

  /** True if the server handles messages that are sent now, possibly right behind `auth`. */
  const isUp = (): boolean => state.name === "authenticating" || state.name === "ready";

  // A message before the answer belongs to an earlier membership, or the answer contains its data.
  const joined = (channel: string): ChannelEntry | undefined => {
    const entry = entries.get(channel);
    return entry?.wire === "joined" ? entry : undefined;
  };

  const joiningBy = (batch: string | undefined): ChannelEntry[] =>
    [...entries.values()].filter((entry) => entry.wire === "joining" && entry.batch === batch);

  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    void Promise.resolve().then(reconcile);
  };

  const reconcile = (): void => {
    scheduled = false;
    const joining: ChannelEntry[] = [];
    const leaving: string[] = [];
    let asked = 0;
    for (const entry of entries.values()) {
      const { wire, id } = entry;
      if (wire === "joining") asked++;
      else if (entry.holders.size === 0) {
        if (wire !== "absent" && wire !== "refused") leaving.push(id.wire);
        entries.delete(id.wire);
        // A later join of a channel that was left must not resume from here.
        positions?.set(id.wire, undefined);
      } else if (wire === "absent" || wire === "broken" || (wire === "joined" && entry.stale)) joining.push(entry);
    }
    if (positions?.wait(isUp(), schedule) || !isUp()) return;
    for (const channels of parts.sendable.split(leaving, (name) => name))
      parts.send({ type: "unsubscribe", data: { channels } });
    const now = joining.slice(0, MOST_JOINING - asked);
    for (const entry of now) if (entry.id.contract.history) entry.received ??= positions?.get(entry.id.wire);
    for (const chunk of parts.sendable.split(now, wanted)) {
      const batch = parts.nextId();
      const message = { type: "subscribe", correlation_id: batch, data: { channels: chunk.map(wanted) } } as const;
      for (const entry of chunk) {
        entry.wire = "joining";
        entry.batch = batch;
        entry.stale = entry.overrun = false;
      }
      const error = parts.fault(message);
      if (!error) parts.send(message);
      for (const entry of chunk) {
        if (error) refuse(entry, error);
        else void entry.handle({ event: JOINING, value: batch });
      }
    }
  };

  const setStatus = (entry: ChannelEntry, status: ChannelStatus): void => {
    entry.status = status;
    // Stops if a holder changes the status again, for example by joining again.
    for (const holder of [...entry.holders]) if (entry.status === status) tell(entry, holder, wasAsked(state));
  };

  const tell = (entry: ChannelEntry, holder: ChannelHolder, asked = false): void => {
    // A handle that needs the document of a joined channel is `pending` until the document arrives.
    const isMissing = entry.status === SUBSCRIBED && !entry.state && holder.hears(SYNC);
    const over = isOver(state) ? notConnected(state) : undefined;
    holder.setStatus(isMissing ? PENDING : entry.status, over, asked);
  };

  const refuse = (entry: ChannelEntry, error: HoldfastError): void => {
    if (error.code === "UNAVAILABLE") {
      entry.wire = "postponed";
      setStatus(entry, PENDING);
      cancelAgain ??= parts.clock.after(AGAIN_AFTER_MS + parts.random() * AGAIN_WITHIN_MS, askAgain);
    } else {
      entry.wire = "refused";
      setStatus(entry, { name: "refused", error });
    }
  };

  const askAgain = (): void => {
    cancelAgain = undefined;
    for (const entry of entries.values()) if (entry.wire === "postponed") entry.wire = "absent";
    reconcile();
  };

  const finished = (entry: ChannelEntry, { position, batch }: Queued): void => {
    const channel = entry.id.wire;
    // Stored only now: a restarted client must receive events whose handlers had not finished.
    if (entries.get(channel) === entry) positions?.set(channel, position);
    if (entry.wire !== "joined") return;
    if (batch === entry.batch) setStatus(entry, SUBSCRIBED);
    if (entry.overrun) repair(entry);
  };

  const deliver = (message: InOrder, size: number, replayed = false): void => {
    const { channel } = message;
    const isEvent = message.type === "event";
    const isSync = message.type === "state_sync";
    const event = isEvent ? message.event : `$${message.type}`;
    let schema = entries.get(channel)?.id.contract.events.get(event);
    if (isEvent && !schema) noteIgnored(parts.logger, channel, event);
    const entry = joined(channel);
    if (!entry || entry.overrun) return;
    const { received, recent } = entry;
    let id: string | undefined;
    // A document has no position of its own, so it neither advances the position nor reveals a gap.
    if (received?.epoch && !isSync) {
      const link = message.metadata as Link | undefined;
      if (link?.id === received.id) return;
      if (!link?.id || !links(received, link)) return repair(entry);
      entry.received = { ...received, offset: link.offset, id: link.id };
      entry.repairs = 0;
      // The position advances, but an event is not delivered twice. Patches always apply.
      if (recent.has(link.id)) schema = undefined;
      else if (isEvent && recent.add((id = link.id)).size > MOST_RECENT) recent.delete(recent.values().next().value);
    }
    const isHeard = [...entry.holders].some((holder) => holder.hears(event));
    // Set when the message is queued, because a reconnect resumes from the end of the queue.
    if (isSync) entry.state = isHeard ? "held" : undefined;
    else if (!isEvent && message.data.patches.length === 0) entry.state = undefined;
    const delivery = !isEvent
      ? { event, value: message }
      : schema && isHeard
        ? readEvent(schema, message, parts.report, { id: message.metadata?.id, replayed })
        : undefined;
    entry.enqueue({ delivery, position: entry.received, id, size, batch: isSync ? entry.batch : undefined });
  };

  /** Recovers missing events: subscribes again, after MOST_REPAIRS times without the position. */
  const repair = (entry: ChannelEntry): void => {
    if (entry.wire !== "joined") return;
    entry.wire = "broken";
    entry.repairs++;
    schedule();
  };

  /** Continues from a new position. A reset is delivered before any newer event. */
  const follow = (entry: ChannelEntry, position?: Position, reason?: ResetReason | "storage"): void => {
    entry.received = entry.id.contract.history && (position ?? NOWHERE);
    entry.repairs = 0;
    entry.state = undefined;
    entry.enqueue({ delivery: reason && { event: RESET, value: { reason } }, position: entry.received, size: 0 });
  };

  const settleOne = (entry: ChannelEntry, result: SubscribeResult, size: number): void => {
    if (!result.ok) return refuse(entry, HoldfastError.fromWire(result.error));
    const { position, missed } = result;
    const { received } = entry;
    entry.wire = "joined";
    // An answer that has neither `missed` nor `reset` does not prove that no event was missed.
    const unproved = received && (!missed || entry.repairs > MOST_REPAIRS);
    const reason = received?.reset ?? result.reset ?? (unproved ? "server" : undefined);
    if (!reason) for (const message of missed ?? []) deliver(message, size / missed!.length, true);
    if (reason || !entry.received?.epoch) follow(entry, position, reason);
    else if (position && position.id !== entry.received.id) repair(entry);
    // If the client lacks the document, the server sends it next, and `finished` sets the status.
    if (!entry.id.contract.document || entry.state === "held") setStatus(entry, SUBSCRIBED);
  };

  return {
    join(id, holder) {
      const entry = entries.get(id.wire) ?? createEntry(id, finished, parts.report);
      entries.set(id.wire, entry);
      // Only after a handle has left, the client subscribes to a refused channel again. Otherwise a
      // listener that creates a handle on each refusal would cause an endless loop.
      if (entry.wire === "refused" && entry.stale && !entry.holders.has(holder)) {
        entry.wire = "absent";
        setStatus(entry, PENDING);
      }
      entry.holders.add(holder);
      tell(entry, holder);
      schedule();
    },
    whyNot: () => whyNotYet(state, parts.address),
    leave(id, holder) {
      const entry = entries.get(id.wire);
      entry?.holders.delete(holder);
      if (entry?.wire === "refused") entry.stale = true;
      schedule();
    },
    setState(next) {
      state = next;
      positions?.hold(!isOver(state));
      // Called synchronously, so that `subscribe` is sent right behind `auth`.
      if (isUp()) return reconcile();
      cancelAgain?.();
      cancelAgain = undefined;
      for (const entry of entries.values()) {
        entry.wire = "absent";
        setStatus(entry, PENDING);
      }
      schedule();
    },
    settle({ correlation_id: batch, data: { results } }, size) {
      const waiting = joiningBy(batch);
      for (const result of results) {
        const entry = waiting.find(({ id }) => id.wire === result.channel);
        if (entry) settleOne(entry, result, size / results.length);
      }
      schedule();
    },
    refuse(batch, error) {
      const refused = joiningBy(batch);
      for (const entry of refused)
        if (error) refuse(entry, error);
        else entry.wire = "absent";
      schedule();
      return refused.length > 0;
    },
    withdraw(channel, error) {
      const entry = joined(channel);
      // If the channel was left or is joining again, the message is outdated.
      if (entry) refuse(entry, error);
    },
    deliver,
    reset({ channel, data }) {
      const entry = joined(channel);
      // If an answer is pending, the answer contains the reset and the position.
      if (entry) follow(entry, data.position, data.reason);
    },
    tell: (message) => void entries.get(message.channel!)?.handle({ event: `$${message.type}`, value: message }),
    entry: (id) => entries.get(id.wire),
    refresh: schedule,
  };
}
