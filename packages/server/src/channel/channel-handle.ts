import {
  type ChannelId,
  type ChannelName,
  type EventName,
  HoldfastError,
  type PresenceChannelName,
  type PresenceOf,
  type ProtocolDefinition,
  type SentEventOf,
} from "@holdfast/protocol";
import type { Channels, Published } from "./channels.js";
import type { PresentUser } from "./presences.js";

/** A channel, as the application publishes on it. Costs nothing to make; holds no state. */
export class ChannelHandle<P extends ProtocolDefinition, C extends ChannelName<P>> {
  readonly #channels: Channels;
  readonly #id: ChannelId;

  constructor(channels: Channels, id: ChannelId) {
    this.#channels = channels;
    this.#id = id;
  }

  /** How many connections are on it. */
  get subscribers(): number {
    return this.#channels.size(this.#id);
  }

  /** Who is on it. @throws HoldfastError INVALID_OPTION on a channel that declares no presence */
  get presence(): C extends PresenceChannelName<P> ? PresenceHandle<PresenceOf<P, C>> : never {
    const { presences } = this.#channels;
    const id = this.#id;
    if (!id.contract.presence)
      throw new HoldfastError("INVALID_OPTION", `The channel ${id.contract.name} declares no presence.`);
    // Asynchronous, because users may be connected to another instance.
    const handle: PresenceHandle<unknown> = {
      list: () => Promise.resolve(presences.list(id)),
      count: () => Promise.resolve(presences.count(id)),
    };
    return handle as never;
  }

  /**
   * Publishes an event. Resolves with the number of connections it was handed to; rejects with INVALID_VALUE, naming the
   * field, when the data does not match the schema, and with LIMIT_EXCEEDED when it takes more bytes than a connection may
   * be owed.
   */
  async publish<E extends EventName<P, C>>(event: E, data: SentEventOf<P, C, E>): Promise<Published> {
    return this.#channels.publish(this.#id, event, data);
  }
}

/** Who is on a channel: users who are seen, with their devices beneath. */
export interface PresenceHandle<Data> {
  list(): Promise<PresentUser<Data>[]>;
  /** How many there are, without listing them. */
  count(): Promise<number>;
}
