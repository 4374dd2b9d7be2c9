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

/** Who is on a channel, as one handle of it knows. */
export interface ChannelPresence<Data, Sent> extends Observable<Presence<Data>> {
  /**
   * The list is kept while this handle subscribes to it; otherwise, and where the channel is
   * refused, nobody is on it. After a drop the last one stays until the server has sent another.
   */
  get(): Presence<Data>;
  /**
   * Calls `listener` at once with the present list, and then on every change. Wants the channel as
   * a handler of its events does.
   */
  subscribe(listener: (presence: Presence<Data>) => void): () => void;
  /**
   * What the others see of this user, from now on and after each reconnect. It wants the channel
   * until `set(undefined)` or the handle's `leave()`. Where several handles of a channel set
   * something, the newest is seen. What the server does not accept goes to `onError`.
   *
   * @throws HoldfastError INVALID_INPUT, naming the field, when the data does not match;
   * LIMIT_EXCEEDED, with its size in bytes, when it is larger than a message to this server may be
   */
  set(data: Sent | undefined): void;
}

/** One for each handle, so that it can be asked for again in every render. */
const made = /* @__PURE__ */ new WeakMap<Inside, ChannelPresence<unknown, unknown>>();

/**
 * Who is on a channel, and what they see of this user. A page that does not call it does not
 * download it.
 *
 * @throws HoldfastError INVALID_VALUE for anything but the handle of a channel that declares
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
  // Validated by the schema that the types are inferred from.
  return found as ChannelPresence<never, never>;
}
