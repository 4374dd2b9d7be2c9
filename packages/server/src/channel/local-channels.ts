import type { ChannelId } from "@holdfast/protocol";
import type { DocumentCopy } from "./document-copy.js";
import { LogFeed } from "./log-feed.js";
import type { Members } from "./members.js";
import type { PlainFeed } from "./plain-feed.js";

/** One channel on this instance. */
export interface LocalChannel {
  readonly members: Members;
  /** How publications reach the members. */
  readonly feed: LogFeed | PlainFeed;
  /** The channel's document, if it declares one. */
  readonly copy: DocumentCopy | undefined;
}

/**
 * The channels that are open on this instance, because they have members or are about to have some.
 */
export class LocalChannels {
  readonly #byWire = new Map<string, LocalChannel>();

  /** How many channels are open. */
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

  /** How many connections of this process are on the channel. */
  size({ wire }: ChannelId): number {
    return this.#byWire.get(wire)?.members.size ?? 0;
  }

  /**
   * Resolves when the members here have the publication at this offset; undefined if they have it
   * or there are none.
   */
  expect(wire: string, offset: number): Promise<void> | undefined {
    const feed = this.#byWire.get(wire)?.feed;
    return feed instanceof LogFeed ? feed.follower.expect(offset) : undefined;
  }
}
