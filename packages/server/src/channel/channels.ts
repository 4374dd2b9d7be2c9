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
 * The internal channel that every connection joins when the connection opens. A broadcast is a
 * publication on this channel. Names of internal channels begin with $, and names in a protocol
 * cannot.
 */
export const EVERYONE = "$all";
/** Delay before the server subscribes to `EVERYONE` again after a failure. */
const EVERYONE_AGAIN_MS = 250;

/**
 * The internal channel of direct events to a user, device or session. The recipients are chosen for
 * each event.
 */
const CHOSEN = "$user";

/** How long a log keeps its enlarged buffer after its last use. */
const WIDE_MS = 10_000;

export interface ChannelsParts {
  readonly protocol: Protocol;
  /** The channels that are open on this instance. */
  readonly local: LocalChannels;
  readonly link: BrokerLink;
  readonly topics: Topics;
  readonly environment: ServerEnvironment;
  readonly logger: Logger;
  readonly stats: Stats;
  /**
   * The most bytes that may wait for a connection. A larger event would close the connection of
   * every member, again after each reconnect.
   */
  readonly maxEventBytes: number;
  readonly presence: PresenceSettings;
  /**
   * Loads the document of a channel from the application's database into the broker. Returns
   * undefined if the application has no `load` hook for the channel.
   */
  loadDocument(id: ChannelId): Promise<void> | undefined;
  /**
   * The presence of other instances. Undefined if the application passed no broker, so that there
   * are no other instances.
   */
  readonly shared?: PresenceLink | undefined;
}

/** Keeps a channel open for a client that is about to join. */
export interface Held {
  /**
   * Returns a promise to wait for before the client can join at this position. Returns undefined if
   * the client can join at once.
   */
  prepare(from: Position | undefined): Promise<void> | undefined;
  /**
   * False if the channel must be prepared again before the client joins, for example because a
   * roll-back was noticed meanwhile.
   */
  isPrepared(): boolean;
  release(): void;
}

/**
 * Opens a channel when the first client is about to join, and closes the channel when no client is
 * a member or about to join. Also publishes broadcasts and encodes direct events.
 */
export class Channels {
  readonly #parts: ChannelsParts;
  /** The channels that are open on this instance. */
  readonly local: LocalChannels;
  readonly #openParts: OpenParts;
  readonly #everyone = new Members();
  readonly #everyoneFeed: PlainFeed;
  readonly #wide: ExpiryQueue<ChannelLog>;
  /** The users present on the channels. */
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
    // The broker may be unreachable when the server starts.
    const again = (run: () => void): Cancel => environment.afterIdle(EVERYONE_AGAIN_MS, run);
    this.#everyoneFeed = new PlainFeed({ topic: EVERYONE, link, logger, stats, members: this.#everyone, again });
    parts.topics.follow(EVERYONE, this.#everyoneFeed);
  }

  /**
   * Checks the name and key of a channel.
   *
   * @throws HoldfastError UNKNOWN_CHANNEL
   */
  identify(name: string, key: string | undefined): ChannelId {
    const checked = channelId(this.#parts.protocol, name, key);
    if (!checked.ok) throw new HoldfastError("UNKNOWN_CHANNEL", checked.fault.message, { field: checked.fault.field });
    return checked.value;
  }

  /**
   * Keeps the channel open until the hold is released. After `prepare`, this instance is subscribed
   * to the channel.
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

  /**
   * The position of a channel on this instance. Prepare the channel first. Undefined if the channel
   * has no history.
   */
  position(id: ChannelId): Position | undefined {
    return this.#logOf(id)?.position;
  }

  /**
   * The events after a position, or the reason for a reset. Prepare the channel for this position
   * first. `hasDocument` is true if the client still has the document at that position.
   */
  resume(id: ChannelId, from: Position, hasDocument: boolean): Resumption {
    return this.#logOf(id)?.resume(from, hasDocument) ?? { ok: false, reset: "server", snapshot: false };
  }

  /** This instance's copy of the channel's document. Prepare the channel first. */
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
   *
   * @throws HoldfastError INVALID_VALUE or LIMIT_EXCEEDED, `field` names the place; UNAVAILABLE
   */
  async broadcast(event: string, data: unknown): Promise<Published> {
    const { protocol, link, maxEventBytes, stats } = this.#parts;
    const body = encodeEvent(EVERYONE, event, protocol.direct.get(event), data, maxEventBytes);
    await link.publish(EVERYONE, "", body);
    stats.published++;
    return { delivered: this.#everyone.size };
  }

  /**
   * Encodes a direct event for chosen recipients. If `ackId` is given, the recipients acknowledge
   * the event after handling it.
   *
   * @throws HoldfastError INVALID_VALUE or LIMIT_EXCEEDED, `field` names the place
   */
  directFrame(event: string, data: unknown, ackId: string | undefined): Frame {
    const { protocol, maxEventBytes } = this.#parts;
    const body = encodeEvent(CHOSEN, event, protocol.direct.get(event), data, maxEventBytes);
    return eventFrame(CHOSEN, body, ackId === undefined ? undefined : { id: ackId, ack: true })!;
  }

  /**
   * Counts the deliveries of a direct event in the stats. The instance that sent the event
   * (`isOrigin`) also counts the publication.
   */
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
    // If opening fails, the clients that hold the channel release it. Until then, the channel stays
    // registered, so that no other client opens it a second time.
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
    // If the application cannot load the document either, the channel cannot be joined.
    if (channel.copy?.isLost) throw new Error("The document in the broker cannot be read.");
  }

  #prepare(id: ChannelId, channel: LocalChannel, hold: Hold): Promise<void> | undefined {
    const prepared = channel.feed.prepare(hold);
    return channel.copy && (prepared || channel.copy.isMissing)
      ? this.#prepareDocument(id, channel, prepared)
      : prepared;
  }

  /**
   * Closes a channel if no client is a member or about to join. Clients choose the keys: if empty
   * channels stayed open, any client could fill the memory.
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
