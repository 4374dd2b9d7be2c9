import type { Cancel, ChannelId } from "@holdfast/protocol";
import type { Channels } from "./channels.js";
import type { Subscriber } from "../log/subscriber.js";

/**
 * The membership of a connection in a channel, from joining to leaving. After leaving and joining
 * again, an answer of `authorize` about the earlier membership no longer applies.
 */
export interface Joining {
  /**
   * The number of the latest call of `reauthorize` that was answered. Answers to earlier calls are
   * stale and ignored.
   */
  judgedBy: number;
}

/**
 * The channels that a connection has joined. Changes run one after the other, in the order of the
 * client's messages, however long `authorize` takes.
 */
export class Membership {
  readonly #joined = new Map<string, Joining>();
  readonly #questions = new Set<Cancel>();
  readonly #channels: Channels;
  readonly #member: Subscriber;
  #ended = false;
  /**
   * Incremented when pending answers of `authorize` become stale and joins in progress must ask
   * again.
   */
  permissions = 0;
  /** How often `authorize` was asked again about all joined channels. */
  reauthorized = 0;
  /** The last subscribe or unsubscribe in the queue. Undefined if the queue is empty. */
  #lastChange: Promise<void> | undefined;
  #waiting = 0;

  constructor(channels: Channels, member: Subscriber) {
    this.#channels = channels;
    this.#member = member;
  }

  get size(): number {
    return this.#joined.size;
  }

  /** The number of channels in the changes that wait in the queue. */
  get waiting(): number {
    return this.#waiting;
  }

  has(wire: string): boolean {
    return this.#joined.has(wire);
  }

  channels(): string[] {
    return [...this.#joined.keys()];
  }

  /** The current membership in a channel. Undefined if the channel is not joined. */
  joining(wire: string): Joining | undefined {
    return this.#joined.get(wire);
  }

  /**
   * Joins a channel. Returns false if the channel was joined already, or if the connection has
   * closed.
   */
  join(id: ChannelId): boolean {
    // The connection may have closed while `authorize` ran. A member added now would never be
    // removed.
    if (this.#ended || this.#joined.has(id.wire)) return false;
    this.#joined.set(id.wire, { judgedBy: 0 });
    this.#channels.join(id, this.#member);
    return true;
  }

  leave(wire: string): void {
    if (this.#joined.delete(wire)) this.#channels.leave(wire, this.#member);
  }

  end(): void {
    this.#ended = true;
    for (const wire of this.#joined.keys()) this.#channels.leave(wire, this.#member);
    this.#joined.clear();
    for (const giveUp of [...this.#questions]) giveUp();
  }

  /**
   * Registers a question to the application. When the connection ends, `giveUp` is called to
   * abandon the question. Returns a function that unregisters the question.
   */
  asked(giveUp: Cancel): Cancel {
    this.#questions.add(giveUp);
    return () => void this.#questions.delete(giveUp);
  }

  /**
   * Runs a change after the earlier changes, or at once if no change is running. `run` must not
   * reject, because nothing handles the rejection.
   */
  change(channels: number, run: () => Promise<void> | void): void {
    if (!this.#lastChange) {
      const running = run();
      if (!running) return;
      this.#chain(running);
    } else {
      this.#waiting += channels;
      this.#chain(
        this.#lastChange.then(() => {
          this.#waiting -= channels;
          // After the connection has closed, `authorize` is not called any more.
          return this.#ended ? undefined : run();
        }),
      );
    }
  }

  #chain(change: Promise<void>): void {
    this.#lastChange = change;
    void change.finally(() => {
      if (this.#lastChange === change) this.#lastChange = undefined;
    });
  }
}
