import type { ChannelId, HoldfastError, Position, ServerMessageOf } from "@holdfast/protocol";
import type { ConnectionState } from "./connection-state.js";
import type { Delivery } from "./event.js";
import type { Listeners } from "./listeners.js";
import type { KnownPosition } from "./keep-positions.js";
import type { Sized } from "./in-order.js";

/**
 * Messages that take effect in the order of their channel: events, changes of the document, and the
 * document itself.
 */
export type InOrder = ServerMessageOf<"event" | "state_update" | "state_sync">;

/**
 * Tracks which channels the application wants, which channels this client has joined, and the
 * position in each channel with history.
 */
export interface ChannelSubscriptions {
  /**
   * Adds the holder and notifies the holder of the status, and of the error if the client will not
   * connect by itself.
   */
  join(id: ChannelId, holder: ChannelHolder): void;
  leave(id: ChannelId, holder: ChannelHolder): void;
  /**
   * The reason why there is no connection yet. Undefined if the client is ready or will not connect
   * by itself.
   */
  whyNot(): HoldfastError | undefined;
  setState(state: ConnectionState): void;
  settle(response: ServerMessageOf<"subscribe_response">, size: number): void;
  /**
   * Refuses the channels of the `subscribe` with this id. Without an error, the client subscribes
   * again. Returns false if no such channel waits.
   */
  refuse(correlationId: string | undefined, error?: HoldfastError): boolean;
  /** The server has removed this session from the channel. */
  withdraw(channel: string, error: HoldfastError): void;
  /** `size` is the size of the message's frame. */
  deliver(message: InOrder, size: number): void;
  /** The server cannot continue the channel from the client's position. */
  reset(message: ServerMessageOf<"reset">): void;
  /** Passes a message that is not an event to the handlers for `$` plus its type, at once. */
  tell(message: { readonly type: string; readonly channel?: string | undefined }): void;
  /** The entry of a channel, while the channel is wanted. */
  entry(id: ChannelId): ChannelEntry | undefined;
  /** Schedules a check of all entries, because one has changed. */
  refresh(): void;
}

export type ChannelStatus =
  | { readonly name: "idle" }
  | { readonly name: "pending" }
  | { readonly name: "subscribed" }
  | { readonly name: "refused"; readonly error: HoldfastError };

/** A handle that wants a channel. */
export interface ChannelHolder extends Pick<Listeners, "hears" | "handle"> {
  /**
   * `over`: the error if the client will not connect by itself. `wasAsked`: true if the application
   * called disconnect().
   */
  setStatus(status: ChannelStatus, over: HoldfastError | undefined, wasAsked: boolean): void;
}

/**
 * The names of handlers for messages that are not events. Such a name is `$` plus the message type,
 * and no event can have it. `$joining` is raised right after `subscribe` was sent, so that data
 * which the server needs on each join follows directly.
 */
export const RESET = "$reset";
export const JOINING = "$joining";
export const SYNC = "$state_sync";
export const UPDATE = "$state_update";

/**
 * The state of a channel on the wire. While a channel is `joining`, nothing is sent about the
 * channel until the answer arrives, so an `unsubscribe` never overtakes the `subscribe` before it.
 *
 *   absent      --subscribe-->     joining
 *   joining     --granted-->       joined
 *   joining     --refused-->       refused     (UNAVAILABLE: postponed)
 *   joined      --unsubscribed-->  refused     (UNAVAILABLE: postponed)
 *   joined      --unsubscribe-->   absent
 *   joined      --gap-->           broken      an event does not follow the event before it
 *   joined      --subscribe-->     joining     the document has to be sent
 *   broken      --subscribe-->     joining
 *   postponed   --1 to 3 s-->      absent
 *   refused     --left, joined-->  absent      a handle left, and a handle joined
 *   any state   --connection lost-->  absent
 */
type WireState =
  | "absent"
  | "joining"
  | "joined"
  /**
   * The client subscribes again in the next microtask. The application sees no change of the
   * status.
   */
  | "broken"
  /**
   * The server was temporarily unable to answer. All postponed channels share the timer in
   * subscriptions.ts.
   */
  | "postponed"
  | "refused";

export interface ChannelEntry {
  readonly id: ChannelId;
  readonly holders: Set<ChannelHolder>;
  readonly handle: ChannelHolder["handle"];
  readonly enqueue: (item: Queued) => void;
  wire: WireState;
  /** The id of the channel's last `subscribe`. */
  batch?: string;
  status: ChannelStatus;
  /**
   * The position after the last message that entered the handlers' queue, or the stored position
   * before the first join. Only channels with history have one. The queue outlives a connection, so
   * resuming from here neither repeats nor loses an event. NOWHERE if the server sends no
   * positions.
   */
  received: KnownPosition | undefined;
  /**
   * The ids of the latest events. An event with one of these ids is not delivered again, not even
   * across a reset.
   */
  readonly recent: Set<unknown>;
  /**
   * The number of consecutive repairs that a gap in the chain caused.
   */
  repairs: number;
  /**
   * The client's state of the document, which `subscribe` reports: `held` if the queued messages
   * produce the document at `received`. Otherwise the server sends the document.
   */
  state?: "held" | "mismatch" | undefined;
  /**
   * True if the client must subscribe again. If the channel is joining or joined, a handler needs
   * the document, and the server has not been told so. If the channel is refused, a handle has
   * left, and the next new handle causes the `subscribe`.
   */
  stale?: boolean;
  /**
   * True if the handlers' queue of a channel with history exceeded its limit. The waiting events
   * were dropped, new events are dropped too, and `received` is the handler's position. When the
   * handler has finished, the client resumes from there.
   */
  overrun?: boolean;
}

/**
 * An item in the handlers' queue: a message or reset (omitted if no handler listens), with the
 * channel's position after it.
 */
export interface Queued extends Sized {
  readonly delivery?: Delivery | undefined;
  /** The event's id in `recent`. */
  readonly id?: string | undefined;
  readonly position: Position | undefined;
  /**
   * The id of the `subscribe` that this document answers. A channel with a document becomes
   * `subscribed` only after it.
   */
  readonly batch?: string | undefined;
}
