import {
  type ChannelId,
  type ChannelName,
  type EventName,
  type EventOf,
  HoldfastError,
  type ProtocolDefinition,
  type ResetReason,
} from "@holdfast/protocol";
import type { Clock } from "./clock.js";
import type { ReportError } from "./errors.js";
import { type Observable, store } from "./observable.js";
import { cancelled, type WaitOptions, watchPatience } from "./patience.js";
import type { ChannelStatus, Delivery, Holder, Subscriptions } from "./subscriptions.js";

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
  /** Calls `handler` when events were missed and cannot be made up for: load what they would have told you. */
  onReset(handler: (reset: { readonly reason: ResetReason }) => unknown): () => void;
  /** Resolves when the channel is joined and live; rejects with the refusal, or NOT_CONNECTED if no connection will come. */
  ready(options?: WaitOptions): Promise<void>;
  /** Takes off all listeners of this handle and gives the channel up. The handle can be used again. */
  leave(): void;
}

export interface ChannelParts {
  readonly subscriptions: Subscriptions;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly report: ReportError;
}

// `never`: what a handler takes is known only to the types, which have matched it with the event's schema.
type Handler = (value: never) => unknown;

/** The handle without its types, which exist only at compile time. */
export interface UntypedChannel {
  readonly name: string;
  readonly status: Observable<ChannelStatus>;
  on(event: string, handler: Handler): () => void;
  onReset(handler: Handler): () => void;
  ready(options?: WaitOptions): Promise<void>;
  leave(): void;
}

const IDLE: ChannelStatus = { name: "idle" };

/** Listeners for resets live beside those for events, under a name no event can have. */
const RESET = "$reset";

export function createChannel(id: ChannelId, parts: ChannelParts): UntypedChannel {
  const { subscriptions, clock, report } = parts;
  const channel = id.wire;
  const status = store(IDLE, (fault) => report(fault, { source: "listener", channel }));
  /** Every listener is one want; so is `ready`. */
  const wants = new Set<{ event: string; handler: Handler } | "ready">();
  const waiting = new Set<(error?: HoldfastError) => void>();

  const settleWaiting = (error?: HoldfastError): void => {
    for (const settle of [...waiting]) settle(error);
  };

  const holder: Holder = {
    hears: (event) => [...wants].some((want) => want !== "ready" && want.event === event),
    handle(delivery) {
      const pending = [...wants].flatMap((want) => {
        // Over a copy; a listener taken off by the one before it is not called any more.
        const hears = want !== "ready" && want.event === eventOf(delivery) && wants.has(want);
        return hears ? (call(want.handler, delivery) ?? []) : [];
      });
      return pending.length > 0 ? Promise.all(pending) : undefined;
    },
    setStatus(next) {
      status.set(next);
      if (next.name === "subscribed") settleWaiting();
      if (next.name === "refused") settleWaiting(next.error);
    },
    over: settleWaiting,
  };

  const call = (handler: Handler, delivery: Delivery): Promise<unknown> | undefined => {
    const event = delivery.type === "event" ? delivery.event : undefined;
    const fail = (fault: unknown): void => report(fault, { source: "handler", channel, event });
    try {
      const value = delivery.type === "event" ? delivery.value : { reason: delivery.reason };
      const result = handler(value as never);
      return isThenable(result) ? Promise.resolve(result).catch(fail) : undefined;
    } catch (fault) {
      fail(fault);
      return undefined;
    }
  };

  const want = (added: { event: string; handler: Handler } | "ready"): void => {
    const first = wants.size === 0;
    wants.add(added);
    if (first) subscriptions.join(id, holder);
  };

  const release = (): void => {
    if (wants.size > 0) return;
    subscriptions.leave(id, holder);
    status.set(IDLE);
  };

  const listen = (event: string, handler: Handler): (() => void) => {
    const entry = { event, handler };
    want(entry);
    return () => void (wants.delete(entry) && release());
  };

  return {
    name: channel,
    status,
    on(event, handler) {
      if (!id.contract.events.has(event)) {
        const message = `The channel ${id.contract.name} has no event ${JSON.stringify(event)}.`;
        throw new HoldfastError("INVALID_VALUE", message, { field: "event" });
      }
      return listen(event, handler);
    },
    onReset: (handler) => listen(RESET, handler),
    ready({ timeoutMs = parts.timeoutMs, signal } = {}) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(cancelled(channel, signal));
        const settle = (error?: HoldfastError): void => {
          waiting.delete(settle);
          stopWatch();
          if (error) reject(error);
          else resolve();
        };
        const stopWatch = watchPatience(channel, { timeoutMs, signal }, clock, settle);
        waiting.add(settle);
        want("ready");
        const now = status.get();
        if (now.name === "subscribed") settle();
        else if (now.name === "refused") settle(now.error);
        else subscriptions.expect(holder);
      });
    },
    leave() {
      if (wants.size === 0) return;
      wants.clear();
      release();
      settleWaiting(new HoldfastError("CANCELLED", `${channel}: leave() was called.`));
    },
  };
}

function eventOf(delivery: Delivery): string {
  return delivery.type === "event" ? delivery.event : RESET;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
