import type { Frame } from "../transport/frame.js";
import type { Subscriber } from "./subscriber.js";

/** The members of one channel on this instance. */
export class Channel {
  readonly #members = new Set<Subscriber>();

  get size(): number {
    return this.#members.size;
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

  /** Hands the frame to every member. Returns how many remain: one that turns out to be too slow has left by then. */
  deliver(frame: Frame): number {
    for (const member of this.#members) member.deliver(frame);
    return this.#members.size;
  }
}
