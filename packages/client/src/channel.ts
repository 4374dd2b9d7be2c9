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
 * A handle on one channel. The handle wants the channel while it has a listener, and from `join()`
 * until `leave()`. The client subscribes when the first handle wants the channel and unsubscribes
 * when the last handle stops wanting it.
 */
export type Channel<P extends ProtocolDefinition, C extends ChannelName<P>> = {
  /** The channel's name in the protocol. */
  readonly name: C;
  /**
   * The key, or undefined if the channel declares none. If the key's schema transforms the text,
   * for example trims spaces, this is the transformed text, so two handles of one channel have the
   * same key.
   */
  readonly key: KeyOf<P, C>;
  /** The channel's id in wire messages: `name`, or `name:key` if the channel has a key. */
  readonly id: string;
  /**
   * The status of the channel. If the channel declares a document, the status is `subscribed` only
   * when the client has the document or knows that there is none.
   */
  readonly status: Observable<ChannelStatus>;
  /**
   * Calls `handler` for every event of this name, in order, and returns the unsubscribe function.
   * If the handler returns a promise, the channel's next event waits for the promise.
   *
   * @throws HoldfastError INVALID_VALUE if the channel has no such event, or no event in the group.
   *   A page's production build does not check this.
   */
  on<E extends EventName<P, C>>(event: E, handler: (data: EventOf<P, C, E>, info: EventInfo) => unknown): () => void;
  /**
   * Calls `handler` for every event of a group. The dots in event names form the groups:
   * `playback.*`, or `*` for all events. The handler receives `{ event, data }`, where `event` is
   * the event's name.
   */
  on<G extends EventGroup<P, C>>(
    group: G,
    handler: (event: EventOfGroup<P, C, G>, info: EventInfo) => unknown,
  ): () => void;
  /**
   * Calls `handler` when events may have been missed and cannot be replayed. Reload the data that
   * those events would have carried. The reason comes from the server, or is `storage` if the
   * positions that `keepPositions` stored cannot be read.
   */
  onReset(handler: (reset: { readonly reason: ResetReason | "storage" }) => unknown): () => void;
  /**
   * Resolves when the channel is joined and the client has its document, if the channel declares
   * one. Rejects with the server's error if the server refuses the channel, and with NOT_CONNECTED,
   * TIMEOUT or CANCELLED if the wait ends earlier.
   */
  join(options?: WaitOptions): Promise<void>;
  /**
   * Removes all listeners of this handle and stops wanting the channel. You can use the handle
   * again.
   */
  leave(): void;
};

export interface ChannelParts {
  readonly subscriptions: ChannelSubscriptions;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly send: (message: ClientMessage) => void;
  /** Returns an error if the message is larger than the server accepts. */
  readonly fault: (message: ClientMessage, where: string) => HoldfastError | undefined;
  readonly report: ReportError;
  readonly watch: HandlerWatch;
}

/**
 * A registered symbol, so that this copy of the package recognises handles that another copy
 * created.
 */
export const INSIDE = Symbol.for("holdfast.channel");

/**
 * The internals of a handle. Parts that a page may leave out, such as presence, use these
 * internals.
 */
export interface Inside extends Pick<ChannelParts, "subscriptions" | "send" | "fault" | "report"> {
  readonly id: ChannelId;
  readonly status: Store<ChannelStatus>;
  readonly listeners: Listeners;
  /** Like `on`, for internal names such as `$reset`. */
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
  /** True from join() until leave(). */
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
