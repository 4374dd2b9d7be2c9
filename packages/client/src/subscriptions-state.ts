import type { ChannelId, HoldfastError, Position, ServerMessageOf } from "@holdfast/protocol";
import type { ConnectionState } from "./connection-state.js";
import type { Delivery } from "./event.js";
import type { Listeners } from "./listeners.js";
import type { KnownPosition } from "./keep-positions.js";
import type { Sized } from "./in-order.js";

/**
 * Messages that the handlers' queue keeps in order: events, updates of the document, and the
 * document itself.
 */
export type InOrder = ServerMessageOf<"event" | "state_update" | "state_sync">;

/**
 * Tracks the channels that the application wants, the state of each on the current connection, and
 * the position in each channel with history.
 */
export interface ChannelSubscriptions {
  /**
   * Adds the holder and tells the holder the channel's status, and the error if the client will not
   * connect by itself.
   */
  join(id: ChannelId, holder: ChannelHolder): void;
  leave(id: ChannelId, holder: ChannelHolder): void;
  /**
   * The error of a client that is still trying to connect: the last failure, or "no answer yet".
   * Undefined in the states `idle`, `ready`, `unauthorized` and `closed`.
   */
  whyNot(): HoldfastError | undefined;
  setState(state: ConnectionState): void;
  settle(response: ServerMessageOf<"subscribe_response">, size: number): void;
  /**
   * Refuses the channels that wait for the answer to the `subscribe` with this id. Without an
   * error, the client subscribes to them again. Returns false if no channel waits for that answer.
   */
  refuse(correlationId: string | undefined, error?: HoldfastError): boolean;
  /** The server has removed this session from the channel. */
  withdraw(channel: string, error: HoldfastError): void;
  /** `size` is the size of the message's frame. */
  deliver(message: InOrder, size: number): void;
  /** The server cannot continue the channel from the client's position. */
  reset(message: ServerMessageOf<"reset">): void;
  /**
   * Calls the handlers of `$<type>` at once, without the queue, with a message that is not an
   * event.
   */
  tell(message: { readonly type: string; readonly channel?: string | undefined }): void;
  /** The entry of a channel, while the channel is wanted. */
  entry(id: ChannelId): ChannelEntry | undefined;
  /**
   * Schedules a comparison of all entries with the connection. Called after an entry has changed.
   */
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
 * The names of handlers for messages that are not events. Such a name begins with `$`, as no event
 * name can. `$joining` is raised right after `subscribe` was sent, so that data which the server
 * needs on each join follows directly.
 */
export const RESET = "$reset";
export const JOINING = "$joining";
export const SYNC = "$state_sync";
export const UPDATE = "$state_update";

/**
 * The state of a channel on the current connection. While a channel is `joining`, the client sends
 * neither `subscribe` nor `unsubscribe` for the channel, so an `unsubscribe` never overtakes an
 * earlier `subscribe`.
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
   * The server has answered with UNAVAILABLE. All postponed channels share the timer in
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
   * The position from which the client resumes: after the last item that entered the handlers'
   * queue, or after an overrun the position of the item that is being handled. Before the first
   * answer: the stored position, if there is one. The queue outlives a connection, so resuming from
   * this position neither repeats nor skips a queued event. Undefined on a channel without history;
   * NOWHERE if the server's answer contains no position.
   */
  received: KnownPosition | undefined;
  /**
   * The ids of the latest events of a channel with history, at most 256. An event with one of these
   * ids is not delivered again, not even after a reset.
   */
  readonly recent: Set<unknown>;
  /**
   * How often the client has subscribed again to recover missing events since the last message that
   * followed without a gap, or since the last new position.
   */
  repairs: number;
  /**
   * The client's report about the document in `subscribe`. `held`: the messages received so far
   * produce the document at `received`, so the server does not send the document. `mismatch`: an
   * update did not fit. Undefined: the client has no document, or no listener for one.
   */
  state?: "held" | "mismatch" | undefined;
  /**
   * In `joining` and `joined`: true if the client must subscribe again, because a handler needs the
   * document. In `refused`: true if a handle has left, so that the next handle that joins causes a
   * `subscribe`.
   */
  stale?: boolean;
  /**
   * True from the time at which the handlers' queue of a channel with history exceeds its limit
   * until the next `subscribe`. The waiting items were dropped, and new messages are dropped too.
   * When the handlers have finished with the current item, the client resumes from `received`.
   */
  overrun?: boolean;
}

/**
 * An item in the handlers' queue. `delivery` is the event, document message or reset that the
 * handlers receive; undefined if only the position advances. `position` is the channel's position
 * after the item; undefined on a channel without history.
 */
export interface Queued extends Sized {
  readonly delivery?: Delivery | undefined;
  /** The id that this event added to `recent`. Undefined if the item added none. */
  readonly id?: string | undefined;
  readonly position: Position | undefined;
  /**
   * The id of the `subscribe` that this document answers; undefined for other items. If the server
   * sends the document, the channel becomes `subscribed` when the handlers have finished with the
   * document.
   */
  readonly batch?: string | undefined;
}
