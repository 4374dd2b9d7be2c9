import type { Cancel, ChannelId } from "@holdfast/protocol";
import type { Channels } from "./channels.js";
import type { Subscriber } from "../log/subscriber.js";

/**
 * One joining of a channel. A verdict about a channel that was left and joined again since is about
 * another one.
 */
export interface Joining {
  /**
   * The newest question of `reauthorize` that was answered. An older answer that comes later is out
   * of date.
   */
  judgedBy: number;
}

/** The channels one connection has joined. */
export class Membership {
  readonly #joined = new Map<string, Joining>();
  readonly #questions = new Set<Cancel>();
  readonly #channels: Channels;
  readonly #member: Subscriber;
  #ended = false;
  /** Goes up whenever what `authorize` has said about channels to be joined is to be asked anew. */
  permissions = 0;
  /** How often `authorize` was asked about everything joined. */
  reauthorized = 0;
  /**
   * Subscribe and unsubscribe messages are handled one after the other, however long `authorize`
   * takes.
   */
  #lastChange: Promise<void> | undefined;
  #waiting = 0;

  constructor(channels: Channels, member: Subscriber) {
    this.#channels = channels;
    this.#member = member;
  }

  get size(): number {
    return this.#joined.size;
  }

  /** How many channels the changes are about that wait for one before them. */
  get waiting(): number {
    return this.#waiting;
  }

  has(wire: string): boolean {
    return this.#joined.has(wire);
  }

  channels(): string[] {
    return [...this.#joined.keys()];
  }

  /** Which joining of a channel it is that lasts; undefined where it is not joined. */
  joining(wire: string): Joining | undefined {
    return this.#joined.get(wire);
  }

  /** Returns whether that changed anything. */
  join(id: ChannelId): boolean {
    // The connection may have closed while `authorize` ran: a member that nobody removes would stay
    // for ever.
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
   * Something was asked on behalf of the connection; when it ends, nobody waits for the answer.
   * Returns how to take that back.
   */
  asked(giveUp: Cancel): Cancel {
    this.#questions.add(giveUp);
    return () => void this.#questions.delete(giveUp);
  }

  /**
   * Runs a change after those before it; at once when none is under way. It must not reject: nobody
   * would hear.
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
          // Nobody is left to ask `authorize` for.
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
