import {
  type ChannelId,
  type ChannelName,
  type ClientMessage,
  type EventName,
  type EventOf,
  HoldfastError,
  type ProtocolDefinition,
  type ResetReason,
} from "@holdfast/protocol";
import type { Clock } from "./clock.js";
import type { ReportError } from "./errors.js";
import { unknownEvent } from "./event.js";
import type { HandlerWatch } from "./handler-watch.js";
import { createListeners, type Handler, type Listeners } from "./listeners.js";
import { type Observable, store } from "./observable.js";
import { cancelled, type WaitOptions, watchPatience } from "./patience.js";
import { unawaited } from "./unawaited.js";
import { type ChannelStatus, type Holder, RESET, type Subscriptions } from "./subscriptions-state.js";

/**
 * A handle on one channel. It wants the channel for as long as it has a listener, and from `ready()` until `leave()`; the
 * server is told when the first handle begins to want it and when the last one stops.
 */
export interface Channel<P extends ProtocolDefinition, C extends ChannelName<P>> {
  /** `name` or `name:key`. */
  readonly name: string;
  readonly status: Observable<ChannelStatus>;
  /**
   * Calls `handler` for every event of this name, in order. If it returns a promise, the next event of the channel waits
   * for it. Returns its unsubscribe.
   */
  on<E extends EventName<P, C>>(event: E, handler: (data: EventOf<P, C, E>) => unknown): () => void;
  /**
   * Calls `handler` when events were missed and cannot be made up for: load what they would have told you. The reason is the
   * server's, or `storage`: where the client was is not known, because what `keepPositions` had kept cannot be read.
   */
  onReset(handler: (reset: { readonly reason: ResetReason | "storage" }) => unknown): () => void;
  /** Resolves when the channel is joined and live; rejects with the refusal, or NOT_CONNECTED if no connection will come. */
  ready(options?: WaitOptions): Promise<void>;
  /** Takes off all listeners of this handle and gives the channel up. The handle can be used again. */
  leave(): void;
}

export interface ChannelParts {
  readonly subscriptions: Subscriptions;
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
  readonly status: Observable<ChannelStatus>;
  readonly listeners: Listeners;
  /** As `on`, for the names that stand beside those of events. */
  listen(name: string, handler: Handler): () => void;
}

/** The handle without its types, which exist only at compile time. */
export interface UntypedChannel {
  readonly [INSIDE]: Inside;
  readonly name: string;
  readonly status: Observable<ChannelStatus>;
  on(event: string, handler: Handler): () => void;
  onReset(handler: Handler): () => void;
  ready(options?: WaitOptions): Promise<void>;
  leave(): void;
}

/** `isExpected`: the application itself gave up what was waited for. */
type Settle = (error?: HoldfastError, isExpected?: boolean) => void;

const IDLE: ChannelStatus = { name: "idle" };

export function createChannel(id: ChannelId, parts: ChannelParts): UntypedChannel {
  const { subscriptions, clock, report } = parts;
  const channel = id.wire;
  const status = store(IDLE, (fault) => report(fault, { source: "listener", channel }));
  const listeners = createListeners(channel, report, parts.watch);
  /** By ready(), until leave(). */
  let kept = false;
  const waiting = new Set<Settle>();

  const isWanted = (): boolean => kept || listeners.size > 0;

  const settleWaiting: Settle = (error, isExpected) => {
    for (const settle of [...waiting]) settle(error, isExpected);
  };

  const holder: Holder = {
    hears: listeners.has,
    handle: listeners.call,
    setStatus(next) {
      status.set(next);
      if (next.name === "subscribed") settleWaiting();
      if (next.name === "refused") settleWaiting(next.error);
    },
    over: settleWaiting,
  };

  const want = <Result>(change: () => Result): Result => {
    const before = isWanted();
    const result = change();
    if (!before) subscriptions.join(id, holder);
    return result;
  };

  const release = (): void => {
    if (isWanted()) return;
    subscriptions.leave(id, holder);
    status.set(IDLE);
  };

  const listen = (event: string, handler: Handler): (() => void) => {
    const remove = want(() => listeners.add(event, handler));
    return () => void (remove() && release());
  };

  return {
    [INSIDE]: { ...parts, id, status, listeners, listen },
    name: channel,
    status,
    on(event, handler) {
      if (!id.contract.events.has(event)) throw unknownEvent(`The channel ${id.contract.name}`, event);
      return listen(event, handler);
    },
    onReset: (handler) => listen(RESET, handler),
    ready({ timeoutMs = parts.timeoutMs, signal } = {}) {
      const run = (resolve: () => void, reject: (error: HoldfastError) => void): void => {
        if (signal?.aborted) return reject(cancelled(channel, signal));
        const settle: Settle = (error, isExpected) => {
          waiting.delete(settle);
          stopWatch();
          // That nothing awaits what was given up by the application itself is no failure.
          if (isExpected) void promise.catch(() => undefined);
          if (error) reject(error);
          else resolve();
        };
        const stopWatch = watchPatience(channel, { timeoutMs, signal }, clock, settle, subscriptions.whyNot);
        waiting.add(settle);
        want(() => (kept = true));
        const now = status.get();
        if (now.name === "subscribed") settle();
        else if (now.name === "refused") settle(now.error);
        else subscriptions.expect(holder);
      };
      const promise = unawaited(new Promise<void>(run), parts, { channel });
      return promise;
    },
    leave() {
      if (!isWanted()) return;
      kept = false;
      listeners.clear();
      release();
      settleWaiting(new HoldfastError("CANCELLED", `${channel}: leave() was called.`), true);
    },
  };
}
