import type { ChannelId } from "@holdfast/protocol";
import type { DocumentCopy } from "./document-copy.js";
import { LogFeed } from "./log-feed.js";
import type { Members } from "./members.js";
import type { PlainFeed } from "./plain-feed.js";

/** An open channel on this instance. */
export interface LocalChannel {
  readonly members: Members;
  /** Delivers publications to the members. */
  readonly feed: LogFeed | PlainFeed;
  /** The channel's document on this instance. Undefined if the channel declares no document. */
  readonly copy: DocumentCopy | undefined;
}

/**
 * The channels that are open on this instance: those that have members, or clients about to join.
 */
export class LocalChannels {
  readonly #byWire = new Map<string, LocalChannel>();

  /** The number of open channels. */
  get count(): number {
    return this.#byWire.size;
  }

  get(wire: string): LocalChannel | undefined {
    return this.#byWire.get(wire);
  }

  add(wire: string, channel: LocalChannel): void {
    this.#byWire.set(wire, channel);
  }

  remove(wire: string): void {
    this.#byWire.delete(wire);
  }

  all(): Iterable<LocalChannel> {
    return this.#byWire.values();
  }

  /** The number of connections of this instance that are subscribed to the channel. */
  size({ wire }: ChannelId): number {
    return this.#byWire.get(wire)?.members.size ?? 0;
  }

  /**
   * Resolves when the publication at this offset has been delivered to the members on this
   * instance, or after 100 ms. Returns undefined if the delivery is already done, or if the channel
   * is not open on this instance.
   */
  expect(wire: string, offset: number): Promise<void> | undefined {
    const feed = this.#byWire.get(wire)?.feed;
    return feed instanceof LogFeed ? feed.follower.expect(offset) : undefined;
  }
}
