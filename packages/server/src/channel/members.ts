import type { Frame } from "../transport/frame.js";
import type { Subscriber } from "../log/subscriber.js";

/** The members of a channel that are connected to this instance. */
export class Members {
  readonly #members = new Set<Subscriber>();
  /**
   * The number of clients that are about to join. The channel stays open for them, and its log
   * buffers more events than usual.
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
   * Sends the frame to every member. Returns the number of members afterwards: a member that cannot
   * keep up is disconnected during the delivery.
   */
  deliver(frame: Frame): number {
    for (const member of this.#members) member.deliver(frame);
    return this.#members.size;
  }
}
