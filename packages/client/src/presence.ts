import {
  HoldfastError,
  type PresenceChannelName,
  type PresenceOf,
  type ProtocolDefinition,
  type SentPresenceOf,
} from "@holdfast/protocol";
import { type Channel, INSIDE, type Inside, type UntypedChannel } from "./channel.js";
import type { Observable } from "./observable.js";
import { createPresenceList, type Presence } from "./presence-list.js";
import { createOwnPresence } from "./presence-own.js";

/** The presence of a channel, as seen through one handle. */
export interface ChannelPresence<Data, Sent> extends Observable<Presence<Data>> {
  /**
   * Returns the current list. The list is empty if this handle has no subscriber or the channel is
   * refused. After a dropped connection the last list stays until the server has sent a new
   * snapshot.
   */
  get(): Presence<Data>;
  /**
   * Calls `listener` at once with the current list, and then on every change. The handle wants the
   * channel while the presence has a listener. Returns the unsubscribe function.
   */
  subscribe(listener: (presence: Presence<Data>) => void): () => void;
  /**
   * Sets the data that other members see of this user; `undefined` withdraws the data. The client
   * sends the data now, or when the channel is joined, and again after each reconnect. The handle
   * wants the channel until `set(undefined)` or the handle's `leave()`. If several handles of a
   * channel set data, the newest data applies. If the server refuses the data, `onError` receives
   * the error.
   *
   * @throws HoldfastError INVALID_INPUT, with the field, if the data does not match the protocol;
   *   LIMIT_EXCEEDED, with the size in bytes, if the data is larger than the server accepts
   */
  set(data: Sent | undefined): void;
}

/** One object per handle, so that `presenceOf` returns the same object in every render. */
const made = /* @__PURE__ */ new WeakMap<Inside, ChannelPresence<unknown, unknown>>();

/**
 * Returns the presence of a channel: the list of users, and the data that they see of this user. A
 * page that does not call this function does not download its code.
 *
 * @throws HoldfastError INVALID_VALUE if the argument is not a handle of a channel that declares
 *   presence
 */
export function presenceOf<P extends ProtocolDefinition, C extends PresenceChannelName<P>>(
  channel: Channel<P, C>,
): ChannelPresence<PresenceOf<P, C>, SentPresenceOf<P, C>> {
  const inside = (channel as unknown as Partial<UntypedChannel> | undefined)?.[INSIDE];
  const schema = inside?.id.contract.presence;
  if (!schema) {
    const sentence = "presenceOf: expected the handle of a channel that declares presence.";
    throw new HoldfastError("INVALID_VALUE", sentence, { field: "channel" });
  }
  const found = made.get(inside) ?? {
    ...createPresenceList(inside, schema),
    set: createOwnPresence(inside, schema),
  };
  made.set(inside, found);
  // The schema that the types are inferred from has validated the data.
  return found as ChannelPresence<never, never>;
}
