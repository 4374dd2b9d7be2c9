import type { Frame } from "../transport/frame.js";
import type { Subscriber } from "../log/subscriber.js";

/** The members of one channel on this instance. */
export class Members {
  readonly #members = new Set<Subscriber>();
  /**
   * How many are about to join. The channel stays open for them, and for history they may need more
   * than usual.
   */
  holds = 0;

  get size(): number {
    return this.#members.size;
  }

  get isIdle(): boolean {
    return this.#members.size === 0 && this.holds === 0;
  }

  get all(): Iterable<Subscriber> {
    return this.#members;
  }

  add(member: Subscriber): void {
    this.#members.add(member);
  }

  remove(member: Subscriber): void {
    this.#members.delete(member);
  }

  /** Removes every member, because the channel has ended. */
  dismiss(wire: string): void {
    for (const member of this.#members) member.dismiss(wire);
  }

  /**
   * Hands the frame to every member. Returns how many remain: a member that turns out to be too
   * slow has left by then.
   */
  deliver(frame: Frame): number {
    for (const member of this.#members) member.deliver(frame);
    return this.#members.size;
  }
}
