import type { ChannelId, HoldfastError, Position, ServerMessageOf } from "@holdfast/protocol";
import type { ConnectionState } from "./connection-state.js";
import type { Delivery } from "./event.js";
import type { Listeners } from "./listeners.js";
import type { KnownPosition } from "./keep-positions.js";
import type { Sized } from "./in-order.js";

/** What takes effect in the order of its channel: events, changes of the document, the document. */
export type InOrder = ServerMessageOf<"event" | "state_update" | "state_sync">;

/**
 * Remembers which channels are wanted, by whom, what the server knows of it, and how far each with
 * history has come.
 */
export interface ChannelSubscriptions {
  /** Tells the holder its status, and that no connection will come if none will. */
  join(id: ChannelId, holder: ChannelHolder): void;
  leave(id: ChannelId, holder: ChannelHolder): void;
  /** Why there is no connection, if there is none. */
  whyNot(): HoldfastError | undefined;
  setState(state: ConnectionState): void;
  settle(response: ServerMessageOf<"subscribe_response">, size: number): void;
  /**
   * Refuses what was asked for under this id; without an error, asks for it again. False if nothing
   * was asked for.
   */
  refuse(correlationId: string | undefined, error?: HoldfastError): boolean;
  /** The server has taken the connection off a channel. */
  withdraw(channel: string, error: HoldfastError): void;
  /** `size`: of its frame. */
  deliver(message: InOrder, size: number): void;
  /** The server cannot continue the channel from where it was. */
  reset(message: ServerMessageOf<"reset">): void;
  /**
   * Hands a message about a channel that is no event to the handlers under `$` and its type, at
   * once.
   */
  tell(message: { readonly type: string; readonly channel?: string | undefined }): void;
  /** What is remembered of a channel while it is wanted. */
  entry(id: ChannelId): ChannelEntry | undefined;
  /** Channels of which something has changed in their entry are looked at again. */
  refresh(): void;
}

export type ChannelStatus =
  | { readonly name: "idle" }
  | { readonly name: "pending" }
  | { readonly name: "subscribed" }
  | { readonly name: "refused"; readonly error: HoldfastError };

/** Someone who wants a channel: one handle of the application. */
export interface ChannelHolder extends Pick<Listeners, "hears" | "handle"> {
  /** `over`: why no connection will come by itself. `wasAsked`: the application has ended it. */
  setStatus(status: ChannelStatus, over: HoldfastError | undefined, wasAsked: boolean): void;
}

/**
 * Handlers for what is no event stand beside those for events, under names that no event can have:
 * `$` and the type of the message. `$joining` comes when `subscribe` was sent, before anything else
 * is: what a channel has to be told on each join follows right behind it.
 */
export const RESET = "$reset";
export const JOINING = "$joining";
export const SYNC = "$state_sync";
export const UPDATE = "$state_update";

/**
 * What the server knows of a channel. Nothing is sent about it while it is `joining`: the verdict
 * comes first, so that an `unsubscribe` can never overtake the `subscribe` before it.
 *
 *   absent --subscribe--> joining --verdict--> joined --unsubscribe--> absent
 *     ^                   ^  |  |               |  |
 *     |         subscribe |  |  +---refusal-----|--+ unsubscribed --> refused
 *     |                   |  |                  |
 *     |                broken <-----------------+  an event that does not follow the one before it
 *                                              |  (or joining at once: its document has to be sent)
 *     +--- 1 to 3 s --- postponed <--- refusal, unsubscribed: UNAVAILABLE (a dropped connection:
 *                                                                     absent, from everywhere)
 */
type WireState =
  | "absent"
  | "joining"
  | "joined"
  /** Asked for again in the microtask that follows; to the application nothing has changed. */
  | "broken"
  /** The server could not say; the timer for all of these is the one of subscriptions.ts. */
  | "postponed"
  | "refused";

export interface ChannelEntry {
  readonly id: ChannelId;
  readonly holders: Set<ChannelHolder>;
  readonly handle: ChannelHolder["handle"];
  readonly enqueue: (item: Queued) => void;
  wire: WireState;
  /** The id of its last `subscribe`. */
  batch?: string;
  status: ChannelStatus;
  /**
   * With history only, and once it was live: the last event that was put in the queue of the
   * handlers. The queue outlives a connection, so to ask from here neither repeats an event nor
   * leaves one out. NOWHERE if the server gives no positions.
   */
  received: KnownPosition | undefined;
  /** The ids of the last events: none is handed over twice, whatever was reset in between. */
  readonly recent: Set<unknown>;
  /** How often in a row it was asked for again because of an event that did not follow. */
  repairs: number;
  /**
   * Of the channel's document, what a `subscribe` says: `held` while the queue leads to the one at
   * `received`. Otherwise the server sends it.
   */
  state?: "held" | "mismatch" | undefined;
  /**
   * It is asked for again. Once there is a verdict: the document is needed, and the server does not
   * know. Where it is refused, when someone joins: a handle was left.
   */
  stale?: boolean;
  /**
   * With history only: too much waited for a handler. What waited was dropped, as is what comes,
   * and `received` is where the handler is. When it has finished the server is asked from there.
   */
  overrun?: boolean;
}

/**
 * What waits for its turn: an event or a reset, unless no one hears it, and where the channel
 * stands when it is done.
 */
export interface Queued extends Sized {
  readonly delivery?: Delivery | undefined;
  /** The id that `recent` has from this event. */
  readonly id?: string | undefined;
  readonly position: Position | undefined;
  /**
   * The `subscribe` that is answered when it is done: only with a document is its channel joined to
   * the application.
   */
  readonly batch?: string | undefined;
}
