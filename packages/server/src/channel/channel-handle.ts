import {
  type ChannelId,
  type ChannelName,
  type EventName,
  HoldfastError,
  type PresenceChannelName,
  type PresenceOf,
  type PresentUser,
  type ProtocolDefinition,
  type SentEventOf,
  type SentDocumentOf,
  type DocumentChannelName,
  type DocumentOf,
} from "@holdfast/protocol";
import type { Unawaited } from "../observe/unawaited.js";
import type { Documents } from "../document/documents.js";
import { type DocumentHandle, documentHandle } from "../document/document-handle.js";
import type { PublishOptions } from "./publish-options.js";
import type { Channels, Published } from "./channels.js";

/** A channel, as the application publishes on it. Costs nothing to make; holds no state. */
export class ChannelHandle<P extends ProtocolDefinition, C extends ChannelName<P>> {
  readonly #channels: Channels;
  readonly #documents: Documents;
  readonly #id: ChannelId;
  readonly #unawaited: Unawaited;

  constructor(channels: Channels, documents: Documents, id: ChannelId, unawaited: Unawaited) {
    this.#channels = channels;
    this.#documents = documents;
    this.#id = id;
    this.#unawaited = unawaited;
  }

  /** How many connections are on it. */
  get subscribers(): number {
    return this.#channels.size(this.#id);
  }

  /** Its document. @throws HoldfastError INVALID_OPTION on a channel that declares no document */
  get document(): C extends DocumentChannelName<P> ? DocumentHandle<DocumentOf<P, C>, SentDocumentOf<P, C>> : never {
    if (!this.#id.contract.document)
      throw new HoldfastError("INVALID_OPTION", `The channel ${this.#id.contract.name} declares no document.`);
    return documentHandle<P, C>(this.#documents, this.#id, this.#unawaited) as never;
  }

  /** Who is on it. @throws HoldfastError INVALID_OPTION on a channel that declares no presence */
  get presence(): C extends PresenceChannelName<P> ? PresenceHandle<PresenceOf<P, C>> : never {
    const { presences } = this.#channels;
    const id = this.#id;
    if (!id.contract.presence)
      throw new HoldfastError("INVALID_OPTION", `The channel ${id.contract.name} declares no presence.`);
    // Asynchronous, because users may be connected to another instance.
    const handle: PresenceHandle<unknown> = {
      list: () => this.#unawaited("presence.list", { channel: id.wire }, presences.list(id)),
      count: () => this.#unawaited("presence.count", { channel: id.wire }, presences.count(id)),
    };
    return handle as never;
  }

  /**
   * Publishes an event. Resolves when the broker has it: everyone on the channel, on whatever instance, gets it or is told of
   * the loss. Rejects with INVALID_VALUE, naming the field, when the data does not match the schema; with LIMIT_EXCEEDED when
   * it takes more bytes than a connection may be owed; and within a second with UNAVAILABLE when the broker cannot be reached:
   * then it may or may not have been published, and with `idempotencyKey` it can be repeated safely. If nothing awaits the
   * promise, a failure is logged.
   */
  publish<E extends EventName<P, C>>(
    event: E,
    data: SentEventOf<P, C, E>,
    options: PublishOptions = {},
  ): Promise<Published> {
    const published = this.#channels.publish(this.#id, event, data, options);
    return this.#unawaited("publish", { channel: this.#id.wire, event }, published);
  }
}

/**
 * Who is on a channel, on whatever instance: users who are seen, with their devices beneath. Both reject with UNAVAILABLE where
 * nobody of this instance is on the channel and the broker cannot be reached.
 */
export interface PresenceHandle<Data> {
  list(): Promise<PresentUser<Data>[]>;
  /** How many there are, without listing them. */
  count(): Promise<number>;
}
