import type { DocumentCopy } from "./document-copy.js";
import type { Frame } from "../transport/frame.js";
import type { LogFeed } from "./log-feed.js";
import type { PlainFeed } from "./plain-feed.js";
import type { Subscriber } from "../log/subscriber.js";

/** One channel on this instance: its members, and how its events come here. */
export class LocalChannel {
  readonly #members = new Set<Subscriber>();
  /** Those who are about to join: the channel is there for them already. */
  holds = 0;

  constructor(
    readonly feed: LogFeed | PlainFeed,
    /** Its document, where it has one. */
    readonly copy?: DocumentCopy,
  ) {}

  get size(): number {
    return this.#members.size;
  }

  get isIdle(): boolean {
    return this.#members.size === 0 && this.holds === 0;
  }

  add(member: Subscriber): void {
    this.#members.add(member);
  }

  remove(member: Subscriber): void {
    this.#members.delete(member);
  }

  get members(): Iterable<Subscriber> {
    return this.#members;
  }

  /** Takes everyone off it. */
  end(wire: string): void {
    for (const member of this.#members) member.dismiss(wire);
  }

  /** Hands the frame to every member. Returns how many remain: one that turns out to be too slow has left by then. */
  deliver(frame: Frame): number {
    for (const member of this.#members) member.deliver(frame);
    return this.#members.size;
  }
}
