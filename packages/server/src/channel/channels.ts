import { type Cancel, type ChannelId, HoldfastError, type Position, type Protocol } from "@holdfast/protocol";
import { channelId } from "@holdfast/protocol/internal";
import type { BrokerLink, Publication } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";
import { ExpiryQueue } from "../async/expiry-queue.js";
import type { Logger } from "../observe/logger.js";
import type { Stats } from "../observe/stats.js";
import type { Frame } from "../transport/frame.js";
import { LocalChannel } from "./channel.js";
import type { DocumentCopy } from "./document-copy.js";
import { encodeEvent, eventFrame } from "./event-text.js";
import { deliverPlain, openChannel } from "./open-channel.js";
import { type Hold, LogFeed, type Resumption } from "./log-feed.js";
import { idempotencyKeyOf, type PublishOptions } from "./publish-options.js";
import { PlainFeed } from "./plain-feed.js";
import type { PresenceSettings } from "../presence/channel-presence.js";
import type { PresenceLink } from "../presence/presence-store.js";
import { PresenceRegistry } from "../presence/presence-registry.js";
import type { Subscriber } from "../log/subscriber.js";
import type { Topics } from "../log/topics.js";

/** What came of a publication. */
export interface Published {
  /** How many connections of this process are on the channel: they have it. With one process, that is all of them. */
  readonly delivered: number;
  /** Its place in the channel's history; undefined on a channel without. */
  readonly offset?: number | undefined;
  /** Its id, on a channel with history. */
  readonly id?: string | undefined;
  /** True: one with the same `idempotencyKey` was published before, and this is the place of that one. */
  readonly duplicate?: boolean | undefined;
}

/**
 * The channel that every connection is on from the start. The library's own channels begin with $, which no name in a
 * protocol can: "to all" is a publication like any other, not a second way out.
 */
export const EVERYONE = "$all";
const EVERYONE_AGAIN_MS = 250;

/** A direct event for some: its channel's members are chosen anew for each event, by user, device or session. */
const CHOSEN = "$user";

/** How long what was given back to more members than usual keeps what it read. */
const WIDE_MS = 10_000;

export interface ChannelsParts {
  readonly protocol: Protocol;
  readonly link: BrokerLink;
  readonly topics: Topics;
  readonly environment: ServerEnvironment;
  readonly logger: Logger;
  readonly stats: Stats;
  /** What a connection may be owed. A larger event would close every member, each time it came back. */
  readonly maxEventBytes: number;
  readonly presence: PresenceSettings;
  /** Sees to it that the broker has the document of a channel, where the application can load it; undefined: it cannot. */
  loadDocument(id: ChannelId): Promise<void> | undefined;
  /** The other instances; undefined: there can be none. */
  readonly shared?: PresenceLink | undefined;
}

/** A channel that is kept for someone who is about to join it. */
export interface Held {
  /** What there is to wait for before it can be joined, from this position on; undefined: nothing. */
  prepare(from: Position | undefined): Promise<void> | undefined;
  /** False if the channel has to be prepared again, because its history was replaced while this was kept. */
  isPrepared(): boolean;
  release(): void;
}

/** The channels that have members on this instance, and the one way out: validate, encode once, hand to every member. */
export class Channels {
  readonly #parts: ChannelsParts;
  readonly #channels = new Map<string, LocalChannel>();
  readonly #everyone: LocalChannel;
  readonly #wide: ExpiryQueue<LogFeed>;
  /** Who is on them. */
  readonly presences: PresenceRegistry;

  constructor(parts: ChannelsParts) {
    this.#parts = parts;
    this.#wide = new ExpiryQueue(parts.environment, WIDE_MS, (feed) => feed.narrow());
    this.presences = new PresenceRegistry({
      settings: parts.presence,
      shared: parts.shared,
      members: (wire) => this.#channels.get(wire)?.members ?? [],
      isUsed: (wire) => this.#channels.get(wire)?.isIdle === false,
    });
    const deliver = (publication: Publication): void => deliverPlain(this.#everyone, EVERYONE, publication, parts);
    // The broker may be away when the server starts.
    const again = (run: () => void): Cancel => parts.environment.afterIdle(EVERYONE_AGAIN_MS, run);
    const feed = new PlainFeed(EVERYONE, parts.link, deliver, again);
    this.#everyone = new LocalChannel(feed);
    parts.topics.follow(EVERYONE, feed);
  }

  /** The name and key of a channel, checked. @throws HoldfastError UNKNOWN_CHANNEL */
  identify(name: string, key: string | undefined): ChannelId {
    const checked = channelId(this.#parts.protocol, name, key);
    if (!checked.ok) throw new HoldfastError("UNKNOWN_CHANNEL", checked.fault.message, { field: checked.fault.field });
    return checked.value;
  }

  size(id: ChannelId): number {
    return this.#channels.get(id.wire)?.size ?? 0;
  }

  /** Keeps the channel until it is released: what is published from when it is prepared arrives here. */
  hold(id: ChannelId): Held {
    const channel = this.#of(id);
    channel.holds++;
    const hold: Hold = { from: undefined, history: undefined };
    return {
      prepare: (from) => {
        hold.from = from;
        return both(this.#prepare(id, channel, hold), this.presences.prepare(id));
      },
      isPrepared: () => !(channel.feed instanceof LogFeed) || channel.feed.isPrepared(hold),
      release: () => {
        channel.holds--;
        this.#tidy(id.wire, channel);
      },
    };
  }

  /** Where a channel with history stands on this instance. It has to be prepared. */
  position(id: ChannelId): Position | undefined {
    const feed = this.#channels.get(id.wire)?.feed;
    return feed instanceof LogFeed ? feed.position : undefined;
  }

  /** What was missed since. It has to be prepared for that position. `hasDocument`: the one of that position. */
  resume(id: ChannelId, from: Position, hasDocument: boolean): Resumption {
    const feed = this.#channels.get(id.wire)?.feed;
    return feed instanceof LogFeed ? feed.resume(from, hasDocument) : { ok: false, reset: "server", snapshot: false };
  }

  /** The document of a channel that declares one, as it is here. It has to be prepared. */
  copy(id: ChannelId): DocumentCopy | undefined {
    return this.#channels.get(id.wire)?.copy;
  }

  /** Resolves when the members here have what stands at this offset; undefined: they have it, or there are none. */
  expect(wire: string, offset: number): Promise<void> | undefined {
    const feed = this.#channels.get(wire)?.feed;
    return feed instanceof LogFeed ? feed.follower.expect(offset) : undefined;
  }

  join(id: ChannelId, member: Subscriber): void {
    this.#of(id).add(member);
    this.presences.arrive(id, member);
    this.#parts.stats.subscriptionsActive++;
  }

  leave(wire: string, member: Subscriber): void {
    const channel = this.#channels.get(wire);
    if (!channel) return;
    channel.remove(member);
    this.presences.depart(wire, member);
    this.#parts.stats.subscriptionsActive--;
    this.#tidy(wire, channel);
  }

  arrive(member: Subscriber): void {
    this.#everyone.add(member);
  }

  depart(member: Subscriber): void {
    this.#everyone.remove(member);
  }

  /** @throws HoldfastError INVALID_VALUE or LIMIT_EXCEEDED, naming the field; UNAVAILABLE */
  async publish(id: ChannelId, event: string, data: unknown, options: PublishOptions): Promise<Published> {
    const { link, environment, maxEventBytes, stats } = this.#parts;
    const { wire, contract } = id;
    const key = idempotencyKeyOf(options, id);
    const body = encodeEvent(wire, event, contract.events.get(event), data, maxEventBytes);
    if (contract.history) {
      const kept = { log: contract.history, key };
      const { outcome, position } = await link.publish(wire, environment.newId(), body, kept);
      const { offset, id: published } = position!;
      if (outcome === "duplicate") return { delivered: 0, offset, id: published, duplicate: true };
      stats.published++;
      // Whoever publishes and then answers a request has the event before the answer.
      await this.expect(wire, offset);
      return { delivered: this.size(id), offset, id: published };
    }
    await link.publish(wire, "", body);
    stats.published++;
    return { delivered: this.size(id) };
  }

  /**
   * Sends a direct event to every open connection.
   * @throws HoldfastError INVALID_VALUE or LIMIT_EXCEEDED, naming the field; UNAVAILABLE
   */
  async broadcast(event: string, data: unknown): Promise<Published> {
    const { protocol, link, maxEventBytes, stats } = this.#parts;
    const body = encodeEvent(EVERYONE, event, protocol.direct.get(event), data, maxEventBytes);
    await link.publish(EVERYONE, "", body);
    stats.published++;
    return { delivered: this.#everyone.size };
  }

  /**
   * The frame of a direct event for chosen members. `ackId`: they are asked to tell when they have handled it.
   * @throws HoldfastError INVALID_VALUE or LIMIT_EXCEEDED, naming the field
   */
  directFrame(event: string, data: unknown, ackId: string | undefined): Frame {
    const { protocol, maxEventBytes } = this.#parts;
    const body = encodeEvent(CHOSEN, event, protocol.direct.get(event), data, maxEventBytes);
    return eventFrame(CHOSEN, body, ackId === undefined ? undefined : { id: ackId, ack: true })!;
  }

  /** A direct event has reached so many. */
  count(delivered: number, isOrigin: boolean): void {
    if (isOrigin) this.#parts.stats.published++;
    this.#parts.stats.delivered += delivered;
  }

  close(): void {
    for (const channel of this.#channels.values()) channel.feed.close();
    this.#everyone.feed.close();
    this.#wide.clear();
    this.presences.close();
  }

  #of(id: ChannelId): LocalChannel {
    const { topics, stats } = this.#parts;
    const { wire } = id;
    let channel = this.#channels.get(wire);
    if (channel) return channel;
    // One that could not be opened is given up by those who hold it; until then nobody else may come upon it.
    channel = openChannel(id, { ...this.#parts, wide: this.#wide });
    this.#channels.set(wire, channel);
    topics.follow(wire, channel.feed);
    stats.channelsActive = this.#channels.size;
    return channel;
  }

  async #prepareDocument(id: ChannelId, channel: LocalChannel, prepared: Promise<void> | undefined): Promise<void> {
    await prepared;
    if (channel.copy?.isMissing) await this.#parts.loadDocument(id);
    // What the application cannot load either is nothing to join.
    if (channel.copy?.isLost) throw new Error("The document cannot be read.");
  }

  #prepare(id: ChannelId, channel: LocalChannel, hold: Hold): Promise<void> | undefined {
    const prepared = channel.feed.prepare(hold);
    return channel.copy && (prepared || channel.copy.isMissing)
      ? this.#prepareDocument(id, channel, prepared)
      : prepared;
  }

  /** Keys are a peer's to choose: an empty channel that stayed would be a leak that anyone can feed. */
  #tidy(wire: string, channel: LocalChannel): void {
    if (!channel.isIdle || this.#channels.get(wire) !== channel) return;
    this.#channels.delete(wire);
    if (this.#parts.shared) this.presences.tidy(wire);
    this.#parts.topics.unfollow(wire);
    channel.feed.close();
    this.#parts.stats.channelsActive = this.#channels.size;
  }
}

function both(one: Promise<void> | undefined, other: Promise<void> | undefined): Promise<void> | undefined {
  return one && other ? Promise.all([one, other]).then(() => undefined) : (one ?? other);
}
