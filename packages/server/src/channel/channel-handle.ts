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
import type { BrokerLink } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";
import type { Stats } from "../observe/stats.js";
import type { Unawaited } from "../observe/unawaited.js";
import type { PresenceRegistry } from "../presence/presence-registry.js";
import type { Documents } from "../document/documents.js";
import { type DocumentHandle, documentHandle } from "../document/document-handle.js";
import { encodeEvent } from "./event-text.js";
import type { LocalChannels } from "./local-channels.js";
import { idempotencyKeyOf, type PublishOptions } from "./publish-options.js";
import type { Published } from "./published.js";

/**
 * A channel on which the application publishes. A handle holds no state, so you can create one for
 * each call.
 */
export interface ChannelHandle<P extends ProtocolDefinition, C extends ChannelName<P>> {
  /** The number of connections of this instance that are subscribed to the channel. */
  readonly subscribers: number;
  /**
   * The channel's document.
   *
   * @throws HoldfastError INVALID_OPTION if the channel declares no document
   */
  readonly document: C extends DocumentChannelName<P> ? DocumentHandle<DocumentOf<P, C>, SentDocumentOf<P, C>> : never;
  /**
   * The users who are present on the channel.
   *
   * @throws HoldfastError INVALID_OPTION if the channel declares no presence
   */
  readonly presence: C extends PresenceChannelName<P> ? PresenceHandle<PresenceOf<P, C>> : never;
  /**
   * Publishes an event. Resolves when the broker has the event. On a channel with history, every
   * member on any instance then either receives the event or is told that events are missing. If
   * nothing awaits the promise, a failure is logged.
   *
   * @throws HoldfastError (rejects)
   * - INVALID_VALUE if the channel declares no such event, or the data does not match the schema;
   *   `field` names the place
   * - INVALID_OPTION for a wrong option
   * - LIMIT_EXCEEDED if the event is larger than `limits.owedBytes`
   * - UNAVAILABLE within a second if the broker cannot be reached. The event may have been
   *   published; with `idempotencyKey`, you can safely repeat the call
   */
  publish<E extends EventName<P, C>>(
    event: E,
    data: SentEventOf<P, C, E>,
    options?: PublishOptions,
  ): Promise<Published>;
}

/**
 * The users who are present on a channel, on any instance, each with their devices. Users whom the
 * server's option `presence` hides are left out. `list` and `count` reject with UNAVAILABLE if the
 * channel has no member on this instance and the broker cannot be reached.
 */
export interface PresenceHandle<Data> {
  list(): Promise<PresentUser<Data>[]>;
  /** The number of users present, without listing them. */
  count(): Promise<number>;
}

/** Dependencies that the handles of all channels share. */
export interface ChannelHandleParts {
  readonly local: LocalChannels;
  readonly presences: PresenceRegistry;
  readonly documents: Documents;
  readonly link: BrokerLink;
  readonly environment: ServerEnvironment;
  readonly stats: Stats;
  /**
   * The most bytes that may wait for a connection. A larger event would close the connection of
   * every member, again after each reconnect.
   */
  readonly maxEventBytes: number;
  readonly unawaited: Unawaited;
}

export class ServerChannelHandle<P extends ProtocolDefinition, C extends ChannelName<P>> implements ChannelHandle<
  P,
  C
> {
  readonly #id: ChannelId;
  readonly #parts: ChannelHandleParts;

  constructor(id: ChannelId, parts: ChannelHandleParts) {
    this.#id = id;
    this.#parts = parts;
  }

  get subscribers(): number {
    return this.#parts.local.size(this.#id);
  }

  get document(): ChannelHandle<P, C>["document"] {
    if (!this.#id.contract.document)
      throw new HoldfastError(
        "INVALID_OPTION",
        `The channel ${this.#id.contract.name} declares no document. Declare \`document\` for this channel.`,
      );
    return documentHandle<P, C>(this.#parts.documents, this.#id, this.#parts.unawaited) as never;
  }

  get presence(): ChannelHandle<P, C>["presence"] {
    const { presences, unawaited } = this.#parts;
    const id = this.#id;
    if (!id.contract.presence)
      throw new HoldfastError(
        "INVALID_OPTION",
        `The channel ${id.contract.name} declares no presence. Declare \`presence\` for this channel.`,
      );
    // Asynchronous, because the users may be connected to another instance.
    const handle: PresenceHandle<unknown> = {
      list: () => unawaited("presence.list", { channel: id.wire }, presences.list(id)),
      count: () => unawaited("presence.count", { channel: id.wire }, presences.count(id)),
    };
    return handle as never;
  }

  publish<E extends EventName<P, C>>(
    event: E,
    data: SentEventOf<P, C, E>,
    options: PublishOptions = {},
  ): Promise<Published> {
    const published = this.#publish(event, data, options);
    return this.#parts.unawaited("publish", { channel: this.#id.wire, event }, published);
  }

  async #publish(event: string, data: unknown, options: PublishOptions): Promise<Published> {
    const { local, link, environment, maxEventBytes, stats } = this.#parts;
    const { wire, contract } = this.#id;
    const key = idempotencyKeyOf(options, this.#id);
    const body = encodeEvent(wire, event, contract.events.get(event), data, maxEventBytes);
    if (contract.history) {
      const kept = { log: contract.history, key };
      const { outcome, position } = await link.publish(wire, environment.newId(), body, kept);
      const { offset, id } = position!;
      if (outcome === "duplicate") return { delivered: 0, offset, id, duplicate: true };
      stats.published++;
      // Waits for the delivery, so that a client whose request publishes an event receives the
      // event before the response.
      await local.expect(wire, offset);
      return { delivered: local.size(this.#id), offset, id };
    }
    await link.publish(wire, "", body);
    stats.published++;
    return { delivered: local.size(this.#id) };
  }
}
