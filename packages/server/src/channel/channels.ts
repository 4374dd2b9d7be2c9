import { type Cancel, type ChannelId, HoldfastError, type Position, type Protocol } from "@holdfast/protocol";
import { channelId } from "@holdfast/protocol/internal";
import type { BrokerLink } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";
import { ExpiryQueue } from "../async/expiry-queue.js";
import type { Logger } from "../observe/logger.js";
import type { Stats } from "../observe/stats.js";
import type { Frame } from "../transport/frame.js";
import type { ChannelLog, Resumption } from "./channel-log.js";
import type { DocumentCopy } from "./document-copy.js";
import { encodeEvent, eventFrame } from "./event-text.js";
import type { LocalChannel, LocalChannels } from "./local-channels.js";
import { type Hold, LogFeed } from "./log-feed.js";
import { Members } from "./members.js";
import { openChannel, type OpenParts } from "./open-channel.js";
import { PlainFeed } from "./plain-feed.js";
import type { PresenceSettings } from "../presence/channel-presence.js";
import type { PresenceLink } from "../presence/presence-store.js";
import { PresenceRegistry } from "../presence/presence-registry.js";
import type { Subscriber } from "../log/subscriber.js";
import type { Topics } from "../log/topics.js";
import type { Published } from "./published.js";

/**
 * The channel that every connection is on from the start. The library's own channels begin with $,
 * which no name in a protocol can: "to all" is a publication like any other, not a second way out.
 */
export const EVERYONE = "$all";
const EVERYONE_AGAIN_MS = 250;

/**
 * A direct event for some: its channel's members are chosen anew for each event, by user, device or
 * session.
 */
const CHOSEN = "$user";

/** How long what was given back to more members than usual keeps what it read. */
const WIDE_MS = 10_000;

export interface ChannelsParts {
  readonly protocol: Protocol;
  /** Those that are open. */
  readonly local: LocalChannels;
  readonly link: BrokerLink;
  readonly topics: Topics;
  readonly environment: ServerEnvironment;
  readonly logger: Logger;
  readonly stats: Stats;
  /**
   * What a connection may be owed. A larger event would close every member, each time it came back.
   */
  readonly maxEventBytes: number;
  readonly presence: PresenceSettings;
  /**
   * Sees to it that the broker has the document of a channel, where the application can load it;
   * undefined: it cannot.
   */
  loadDocument(id: ChannelId): Promise<void> | undefined;
  /** The other instances; undefined: there can be none. */
  readonly shared?: PresenceLink | undefined;
}

/** A channel that is kept for someone who is about to join it. */
export interface Held {
  /**
   * What there is to wait for before it can be joined, from this position on; undefined: nothing.
   */
  prepare(from: Position | undefined): Promise<void> | undefined;
  /**
   * False if the channel has to be prepared again, because its history was replaced while this was
   * kept.
   */
  isPrepared(): boolean;
  release(): void;
}

/**
 * Opens channels for those who join, and closes them behind those who leave. Direct events are made
 * here, too.
 */
export class Channels {
  readonly #parts: ChannelsParts;
  /** Those that are open. */
  readonly local: LocalChannels;
  readonly #openParts: OpenParts;
  readonly #everyone = new Members();
  readonly #everyoneFeed: PlainFeed;
  readonly #wide: ExpiryQueue<ChannelLog>;
  /** Who is on them. */
  readonly presences: PresenceRegistry;

  constructor(parts: ChannelsParts) {
    this.#parts = parts;
    this.local = parts.local;
    this.#wide = new ExpiryQueue(parts.environment, WIDE_MS, (log) => log.narrow());
    const { link, environment, logger, stats, maxEventBytes, loadDocument } = parts;
    this.#openParts = { link, environment, logger, stats, maxEventBytes, loadDocument, wide: this.#wide };
    this.presences = new PresenceRegistry({
      settings: parts.presence,
      shared: parts.shared,
      members: (wire) => this.local.get(wire)?.members.all ?? [],
      isUsed: (wire) => this.local.get(wire)?.members.isIdle === false,
    });
    // The broker may be away when the server starts.
    const again = (run: () => void): Cancel => environment.afterIdle(EVERYONE_AGAIN_MS, run);
    this.#everyoneFeed = new PlainFeed({ topic: EVERYONE, link, logger, stats, members: this.#everyone, again });
    parts.topics.follow(EVERYONE, this.#everyoneFeed);
  }

  /** The name and key of a channel, checked. @throws HoldfastError UNKNOWN_CHANNEL */
  identify(name: string, key: string | undefined): ChannelId {
    const checked = channelId(this.#parts.protocol, name, key);
    if (!checked.ok) throw new HoldfastError("UNKNOWN_CHANNEL", checked.fault.message, { field: checked.fault.field });
    return checked.value;
  }

  /**
   * Keeps the channel until it is released: what is published from when it is prepared arrives
   * here.
   */
  hold(id: ChannelId): Held {
    const channel = this.#of(id);
    channel.members.holds++;
    const hold: Hold = { from: undefined, history: undefined };
    return {
      prepare: (from) => {
        hold.from = from;
        return both(this.#prepare(id, channel, hold), this.presences.prepare(id));
      },
      isPrepared: () => !(channel.feed instanceof LogFeed) || channel.feed.isPrepared(hold),
      release: () => {
        channel.members.holds--;
        this.#tidy(id.wire, channel);
      },
    };
  }

  /** Where a channel with history stands on this instance. It has to be prepared. */
  position(id: ChannelId): Position | undefined {
    return this.#logOf(id)?.position;
  }

  /**
   * What was missed since. It has to be prepared for that position. `hasDocument`: the one of that
   * position.
   */
  resume(id: ChannelId, from: Position, hasDocument: boolean): Resumption {
    return this.#logOf(id)?.resume(from, hasDocument) ?? { ok: false, reset: "server", snapshot: false };
  }

  /** The document of a channel that declares one, as it is here. It has to be prepared. */
  copy(id: ChannelId): DocumentCopy | undefined {
    return this.local.get(id.wire)?.copy;
  }

  join(id: ChannelId, member: Subscriber): void {
    this.#of(id).members.add(member);
    this.presences.arrive(id, member);
    this.#parts.stats.subscriptionsActive++;
  }

  leave(wire: string, member: Subscriber): void {
    const channel = this.local.get(wire);
    if (!channel) return;
    channel.members.remove(member);
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
   * The frame of a direct event for chosen members. `ackId`: they are asked to tell when they have
   * handled it.
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
    for (const channel of this.local.all()) channel.feed.close();
    this.#everyoneFeed.close();
    this.#wide.clear();
    this.presences.close();
  }

  #of(id: ChannelId): LocalChannel {
    const { topics, stats } = this.#parts;
    const { wire } = id;
    const found = this.local.get(wire);
    if (found) return found;
    // One that could not be opened is given up by those who hold it; until then nobody else may
    // come upon it.
    const channel = openChannel(id, this.#openParts);
    this.local.add(wire, channel);
    const { feed } = channel;
    topics.follow(wire, feed instanceof LogFeed ? feed.follower : feed);
    stats.channelsActive = this.local.count;
    return channel;
  }

  #logOf(id: ChannelId): ChannelLog | undefined {
    const feed = this.local.get(id.wire)?.feed;
    return feed instanceof LogFeed ? feed.log : undefined;
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

  /**
   * Keys are a peer's to choose: an empty channel that stayed would be a leak that anyone can feed.
   */
  #tidy(wire: string, channel: LocalChannel): void {
    if (!channel.members.isIdle || this.local.get(wire) !== channel) return;
    this.local.remove(wire);
    if (this.#parts.shared) this.presences.tidy(wire);
    this.#parts.topics.unfollow(wire);
    channel.feed.close();
    this.#parts.stats.channelsActive = this.local.count;
  }
}

function both(one: Promise<void> | undefined, other: Promise<void> | undefined): Promise<void> | undefined {
  return one && other ? Promise.all([one, other]).then(() => undefined) : (one ?? other);
}
