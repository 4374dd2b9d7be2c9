import type { Position } from "@holdfast/protocol";
import type { BrokerLink } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";
import { Comparison } from "../log/comparison.js";
import { Follower } from "../log/follower.js";
import type { ChannelLog } from "./channel-log.js";

/** A client that is about to join, and what its answer is based on. */
export interface Hold {
  /** The position that the client resumes from; undefined if it has none. */
  from: Position | undefined;
  /** Which history the channel had when it was prepared for this client. */
  history: number | undefined;
}

export interface LogFeedParts {
  readonly topic: string;
  readonly link: BrokerLink;
  readonly environment: ServerEnvironment;
  readonly log: ChannelLog;
}

/**
 * Follows a channel with history and prepares the answers to clients that resume. A publication
 * goes from the Follower to the ChannelLog to the members. The other way this class asks: it tells
 * the Follower to read whatever the log does not have.
 */
export class LogFeed {
  readonly log: ChannelLog;
  readonly follower: Follower;
  readonly #comparison: Comparison;

  constructor({ topic, link, environment, log }: LogFeedParts) {
    this.log = log;
    this.follower = new Follower({ topic, link, environment, log });
    this.#comparison = new Comparison(topic, link, this.follower);
  }

  /**
   * What there is to wait for before the log's `position` and `resume` can answer the client;
   * undefined: nothing.
   */
  prepare(hold: Hold): Promise<void> | undefined {
    const prepared = (): void => void (hold.history = this.log.history);
    const preparing = this.#prepare(hold.from);
    if (!preparing) prepared();
    return preparing?.then(prepared);
  }

  /**
   * Whether the reset that the log would tell the client now is as true as when the channel was
   * prepared for it. It is not if a roll-back was noticed since, or if a reading did not reach so
   * far back.
   */
  isPrepared({ from, history }: Hold): boolean {
    const { log } = this;
    if (!from || !log.isRead) return true;
    const isSame = history === log.history;
    if (isSame && log.knowsOf(from)) return true;
    const verdict = log.verdict(from);
    return verdict.ok || (isSame && verdict.reset !== "trimmed");
  }

  close(): void {
    this.log.close();
    this.follower.close();
  }

  #prepare(from: Position | undefined): Promise<void> | undefined {
    const { log, follower } = this;
    const asked = log.readings;
    const reach = (): Promise<void> | undefined => from && this.#reach(from, asked);
    const ready = (): Promise<void> | undefined => (log.isDocumentLost ? follower.refresh().then(reach) : reach());
    if (follower.isOpen) return ready();
    // In time for the first reading, mostly.
    if (from) log.want(from);
    return follower.opened.then(ready);
  }

  /**
   * Sees to it that what `resume` says of this position is true. A reading that has begun since
   * (`asked`) is enough; otherwise, before a reset is told, the store is asked where the channel
   * stands: this instance may not have heard yet of a roll-back.
   */
  #reach(from: Position, asked: number): Promise<void> | undefined {
    const { log } = this;
    if (!log.knowsOf(from)) return this.#widen(from);
    const verdict = log.verdict(from);
    if (verdict.ok) {
      // Other clients that resume now have missed about as much.
      if (from.offset < log.position.offset) log.keepMore();
      return undefined;
    }
    const isTrimmed = verdict.reset === "trimmed" && log.covers(from);
    if (log.hasReadSince(asked, isTrimmed ? from : undefined)) return undefined;
    // Where the channel stands does not tell whether the store has got back events that it had
    // trimmed.
    if (isTrimmed) return this.#widen(from);
    return this.#comparison.run().then(() => (log.knowsOf(from) ? undefined : this.#widen(from)));
  }

  /**
   * Until a reading is over that has begun after this was wanted, and reaches so far back. One
   * under way may do neither.
   */
  async #widen(from: Position): Promise<void> {
    const { log, follower } = this;
    const asked = log.readings;
    do {
      log.want(from);
      await follower.refresh();
    } while (!log.hasReadSince(asked, from));
  }
}
