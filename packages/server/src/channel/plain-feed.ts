import type { Cancel } from "@holdfast/protocol";
import type { BrokerLink, Publication } from "../broker/broker.js";
import type { Receiver } from "../log/topics.js";
import type { Logger } from "../observe/logger.js";
import type { Stats } from "../observe/stats.js";
import { eventFrame, notAnEvent } from "./event-text.js";
import type { Members } from "./members.js";

export interface PlainFeedParts {
  readonly topic: string;
  readonly link: BrokerLink;
  readonly logger: Logger;
  readonly stats: Stats;
  readonly members: Members;
  /**
   * Schedules another attempt if `subscribe` failed. Passed only for the topic of all connections.
   * If subscribing to a channel fails, the channel closes, and the next client that joins opens the
   * channel again.
   */
  again?(run: () => void): Cancel;
}

/**
 * Delivers each publication of a channel without history to the members on this instance. Lost
 * publications are not replayed.
 */
export class PlainFeed implements Receiver {
  readonly #parts: PlainFeedParts;
  #opening: Promise<void> | undefined;
  #isClosed = false;
  #cancelAgain: Cancel | undefined;

  constructor(parts: PlainFeedParts) {
    this.#parts = parts;
    this.#open();
  }

  prepare(): Promise<void> | undefined {
    return this.#opening;
  }

  receive({ body }: Publication): void {
    const { topic, stats, members, logger } = this.#parts;
    const frame = eventFrame(topic, body);
    if (frame) stats.delivered += members.deliver(frame);
    else notAnEvent(topic, logger);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelAgain?.();
    this.#parts.link.unsubscribe(this.#parts.topic);
  }

  #open(): void {
    const { topic, link, again } = this.#parts;
    this.#opening = link.subscribe(topic).then(() => (this.#opening = undefined));
    // Clients that wait in `prepare` receive the failure. This handler prevents an unhandled
    // rejection if no client waits.
    this.#opening.catch(() => {
      if (!this.#isClosed) this.#cancelAgain = again?.(() => this.#open());
    });
  }
}
