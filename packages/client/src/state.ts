import {
  type ChannelName,
  HoldfastError,
  type Immutable,
  type ProtocolDefinition,
  type StateChannelName,
  type StateOf,
} from "@holdfast/protocol";
import { type Channel, INSIDE, type Inside, type UntypedChannel } from "./channel.js";
import { createStateDocument, type StateDocument } from "./state-document.js";

/** The document of a channel, as one handle of it knows. */
export interface ChannelState<State> {
  /**
   * The same object for as long as nothing changed, and so is every part of it. Kept while this handle subscribes to it;
   * undefined otherwise, before the server has sent it, where there is no document, and where the channel is refused. After a
   * drop the last one stays until the server has sent what changed.
   */
  get(): Immutable<State> | undefined;
  /**
   * Calls `listener` on every change, not at once; in order with the handlers of the channel's events, which it waits for.
   * Wants the channel as they do. Returns its unsubscribe.
   */
  subscribe(
    listener: (state: Immutable<State> | undefined, previous: Immutable<State> | undefined) => void,
  ): () => void;
}

/** One for each handle, so that it can be asked for again in every render. */
const made = /* @__PURE__ */ new WeakMap<Inside, StateDocument>();

/**
 * The document of a channel, kept current. Nobody changes any part of it; in development it is frozen. A page that does not
 * call this does not download it.
 *
 * @throws HoldfastError INVALID_VALUE for anything but the handle of a channel that declares state
 */
export function state<P extends ProtocolDefinition, C extends ChannelName<P>>(
  channel: Channel<P, C> & (C extends StateChannelName<P> ? unknown : never),
): ChannelState<StateOf<P, C>> {
  const inside = (channel as unknown as Partial<UntypedChannel> | undefined)?.[INSIDE];
  const schema = inside?.id.contract.state;
  if (!schema) {
    const sentence = "state: expected the handle of a channel that declares state.";
    throw new HoldfastError("INVALID_VALUE", sentence, { field: "channel" });
  }
  const found = made.get(inside) ?? createStateDocument(inside, schema);
  made.set(inside, found);
  // Validated by the schema that the types are inferred from.
  return found as ChannelState<never>;
}
