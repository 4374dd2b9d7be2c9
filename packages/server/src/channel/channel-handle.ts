import type { ChannelId, ChannelName, EventName, ProtocolDefinition, SentEventOf } from "@holdfast/protocol";
import type { Channels, Published } from "./channels.js";

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

  /**
   * Publishes an event. Resolves with the number of connections it was handed to; rejects with INVALID_VALUE, naming the
   * field, when the data does not match the schema, and with LIMIT_EXCEEDED when it takes more bytes than a connection may
   * be owed.
   */
  async publish<E extends EventName<P, C>>(event: E, data: SentEventOf<P, C, E>): Promise<Published> {
    return this.#channels.publish(this.#id, event, data);
  }
}
