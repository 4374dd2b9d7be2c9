import type { BrokerLink } from "../broker/broker.js";
import type { Follower } from "./follower.js";

/**
 * Compares the position of a `Follower` with the store's position. If they differ, the `Follower`
 * reads the topic. All clients that need a comparison while another comparison runs share the next
 * one.
 */
export class Comparison {
  readonly #topic: string;
  readonly #link: BrokerLink;
  readonly #follower: Follower;
  #running: Promise<void> = Promise.resolve();
  /** The comparison that begins when the running comparison has finished. */
  #next: Promise<void> | undefined;

  constructor(topic: string, link: BrokerLink, follower: Follower) {
    this.#topic = topic;
    this.#link = link;
    this.#follower = follower;
  }

  /**
   * Resolves when a comparison has finished that began after this call. Rejects if the store cannot
   * be reached.
   */
  run(): Promise<void> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      const comparing = this.#compare();
      this.#running = comparing.catch(() => undefined);
      return comparing;
    });
    return this.#next;
  }

  async #compare(): Promise<void> {
    // If a reading is in progress, `compare` would only wait for that reading, which may have begun
    // before this comparison was requested.
    await this.#follower.repaired;
    const mine = this.#follower.position!;
    const [theirs] = await this.#link.positions([this.#topic]);
    await this.#follower.compare(mine, theirs);
  }
}
