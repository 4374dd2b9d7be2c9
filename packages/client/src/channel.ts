import {
  type ChannelId,
  type ChannelName,
  type ClientMessage,
  type EventGroup,
  type EventName,
  type EventOf,
  type EventOfGroup,
  HoldfastError,
  type KeyOf,
  type ProtocolDefinition,
  type ResetReason,
} from "@holdfast/protocol";
import { checkEvent } from "./check-event.js";
import type { Clock } from "./clock.js";
import type { ReportError } from "./errors.js";
import type { EventInfo } from "./event.js";
import type { HandlerWatch } from "./handler-watch.js";
import { createListeners, type AnyHandler, type Listeners } from "./listeners.js";
import { type Observable, type Store, store } from "./observable.js";
import { type PatientCall, patiently, type WaitOptions } from "./patience.js";
import { type ChannelStatus, type ChannelHolder, RESET, type ChannelSubscriptions } from "./subscriptions-state.js";

/**
 * A handle on one channel. It wants the channel for as long as it has a listener, and from `join()`
 * until `leave()`; the server is told when the first handle begins to want it and when the last one
 * stops.
 */
export type Channel<P extends ProtocolDefinition, C extends ChannelName<P>> = {
  /** The name that the protocol gives the channel. */
  readonly name: C;
  /**
   * The key, or undefined if the channel declares none. If the schema of the key trims a text or
   * changes its case, this is the result, so that two handles of one channel have the same key.
   */
  readonly key: KeyOf<P, C>;
  /** The channel on the wire: `name`, or `name:key` if the channel has a key. */
  readonly id: string;
  /**
   * A channel that declares a document is `subscribed` when the document is known, or that there is
   * none.
   */
  readonly status: Observable<ChannelStatus>;
  /**
   * Calls `handler` for every event of this name, in order. If it returns a promise, the next event
   * of the channel waits for it. Returns its unsubscribe.
   *
   * @throws HoldfastError INVALID_VALUE if the channel has no such event, or no event in the group.
   * A page's production build does not check.
   */
  on<E extends EventName<P, C>>(event: E, handler: (data: EventOf<P, C, E>, info: EventInfo) => unknown): () => void;
  /**
   * The same for a group of them, by the dots in their names: `playback.*`, or `*` for all. The
   * handler gets the event's name beside its data, `{ event, data }`, and tells them apart by
   * `event`.
   */
  on<G extends EventGroup<P, C>>(
    group: G,
    handler: (event: EventOfGroup<P, C, G>, info: EventInfo) => unknown,
  ): () => void;
  /**
   * Calls `handler` when events were missed and cannot be made up for: load what they would have
   * told you. The reason is the server's, or `storage`: where the client was is not known, because
   * what `keepPositions` had kept cannot be read.
   */
  onReset(handler: (reset: { readonly reason: ResetReason | "storage" }) => unknown): () => void;
  /**
   * Resolves when the channel is joined and live, and its document, if it declares one, is known;
   * rejects with the refusal, or NOT_CONNECTED if no connection will come.
   */
  join(options?: WaitOptions): Promise<void>;
  /**
   * Takes off all listeners of this handle and gives the channel up. The handle can be used again.
   */
  leave(): void;
};

export interface ChannelParts {
  readonly subscriptions: ChannelSubscriptions;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly send: (message: ClientMessage) => void;
  /** Why the server would refuse a message for its size. */
  readonly fault: (message: ClientMessage, where: string) => HoldfastError | undefined;
  readonly report: ReportError;
  readonly watch: HandlerWatch;
}

/** A registered symbol, so that a handle that another copy of this package made is recognised. */
export const INSIDE = Symbol.for("holdfast.channel");

/** What a part that a page may leave out, such as presence, is made of. */
export interface Inside extends Pick<ChannelParts, "subscriptions" | "send" | "fault" | "report"> {
  readonly id: ChannelId;
  readonly status: Store<ChannelStatus>;
  readonly listeners: Listeners;
  /** As `on`, for the names that stand beside those of events. */
  listen(name: string, handler: AnyHandler): () => void;
}

/** The handle without its types, which exist only at compile time. */
export interface UntypedChannel {
  readonly [INSIDE]: Inside;
  readonly name: string;
  readonly key: string | undefined;
  readonly id: string;
  readonly status: Observable<ChannelStatus>;
  on(event: string, handler: AnyHandler): () => void;
  onReset(handler: AnyHandler): () => void;
  join(options?: WaitOptions): Promise<void>;
  leave(): void;
}

const IDLE: ChannelStatus = { name: "idle" };

export function createChannel(id: ChannelId, parts: ChannelParts): UntypedChannel {
  const { subscriptions, report } = parts;
  const channel = id.wire;
  const status = store(IDLE, (fault) => report(fault, { source: "listener", channel }));
  const listeners = createListeners(channel, report, parts.watch);
  /** By join(), until leave(). */
  let kept = false;
  const waiting = new Set<PatientCall<void>>();

  const isWanted = (): boolean => kept || listeners.size > 0;

  const settle = (error?: HoldfastError, isExpected?: boolean): void => {
    for (const call of waiting) {
      if (error) call.reject(error, isExpected);
      else call.resolve();
    }
    waiting.clear();
  };

  const holder: ChannelHolder = {
    ...listeners,
    setStatus(next, over, wasAsked) {
      status.set(next);
      const error = next.name === "refused" ? next.error : over;
      if (error || next.name === "subscribed") settle(error, wasAsked);
    },
  };

  const release = (): void => {
    if (isWanted()) return;
    subscriptions.leave(id, holder);
    status.set(IDLE);
  };

  const listen = (event: string, handler: AnyHandler): (() => void) => {
    const remove = listeners.add(event, handler);
    subscriptions.join(id, holder);
    return () => void (remove() && release());
  };

  return {
    [INSIDE]: { ...parts, id, status, listeners, listen },
    name: id.contract.name,
    key: id.key,
    id: channel,
    status,
    on(event, handler) {
      checkEvent(`The channel ${id.contract.name}`, event, id.contract.events);
      return listen(event, handler);
    },
    onReset: (handler) => listen(RESET, handler),
    join: (options) =>
      patiently<void>({ channel }, options, {
        ...parts,
        whyNot: subscriptions.whyNot,
        begin(call) {
          waiting.add(call);
          kept = true;
          subscriptions.join(id, holder);
        },
        giveUp(error, call) {
          waiting.delete(call);
          call.reject(error);
        },
      }),
    leave() {
      if (!isWanted()) return;
      kept = false;
      listeners.clear();
      release();
      settle(new HoldfastError("CANCELLED", `${channel}: leave() was called.`), true);
    },
  };
}
