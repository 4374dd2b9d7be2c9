import type { Position } from "@holdfast/protocol";
import type { BrokerLink } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";
import { Comparison } from "../log/comparison.js";
import { Follower } from "../log/follower.js";
import type { ChannelLog } from "./channel-log.js";

/** A client that is about to join, and the state that its answer is based on. */
export interface Hold {
  /** The position that the client resumes from. Undefined if the client starts anew. */
  from: Position | undefined;
  /** The number of the channel's history when the channel was prepared for this client. */
  history: number | undefined;
}

export interface LogFeedParts {
  readonly topic: string;
  readonly link: BrokerLink;
  readonly environment: ServerEnvironment;
  readonly log: ChannelLog;
}

/**
 * Receives the events of one channel with history and answers clients that resume: from the buffer
 * if the buffer reaches back far enough, otherwise from the broker, with one reading for all
 * clients that wait.
 *
 * Publications go from the `Follower` to the `ChannelLog` and on to the members. If the log lacks
 * events, this class tells the `Follower` to read them.
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
   * Returns a promise to wait for before the log's `position` and `resume` can answer the client.
   * Returns undefined if both can answer at once.
   */
  prepare(hold: Hold): Promise<void> | undefined {
    const prepared = (): void => void (hold.history = this.log.history);
    const preparing = this.#prepare(hold.from);
    if (!preparing) prepared();
    return preparing?.then(prepared);
  }

  /**
   * Whether the channel is still prepared for this client. Before a reset, another preparation is
   * needed if a roll-back was noticed meanwhile, or if the last reading did not reach back to the
   * client's position.
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
    // Usually, the first reading has not begun yet and reaches back to this position.
    if (from) log.want(from);
    return follower.opened.then(ready);
  }

  /**
   * Makes sure that `resume` gives the right answer for this position. A reading that began after
   * the call (after number `asked`) is enough. Otherwise the store is asked for the channel's
   * position before a reset is sent, because this instance may not know of a roll-back yet.
   */
  #reach(from: Position, asked: number): Promise<void> | undefined {
    const { log } = this;
    if (!log.knowsOf(from)) return this.#widen(from);
    const verdict = log.verdict(from);
    if (verdict.ok) {
      // Other clients that resume now have probably missed about as many events.
      if (from.offset < log.position.offset) log.keepMore();
      return undefined;
    }
    const isTrimmed = verdict.reset === "trimmed" && log.covers(from);
    if (log.hasReadSince(asked, isTrimmed ? from : undefined)) return undefined;
    // The channel's position does not show whether a restored store contains events that had been
    // trimmed.
    if (isTrimmed) return this.#widen(from);
    return this.#comparison.run().then(() => (log.knowsOf(from) ? undefined : this.#widen(from)));
  }

  /**
   * Reads until a reading has finished that began after this call and reaches back to the position.
   * A reading that is already running may have begun too early, or may not reach back far enough.
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
