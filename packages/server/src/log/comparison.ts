import type { BrokerLink } from "../broker/broker.js";
import type { Follower } from "./follower.js";

/**
 * Compares the position of a `Follower` with the store's position and repairs a difference. However
 * many clients need a comparison at the same time, the store is asked once.
 */
export class Comparison {
  readonly #topic: string;
  readonly #link: BrokerLink;
  readonly #follower: Follower;
  #running: Promise<void> = Promise.resolve();
  /** The comparison that begins after the running one. */
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
    // A running reading may be older than the position that is compared.
    await this.#follower.repaired;
    const mine = this.#follower.position!;
    const [theirs] = await this.#link.positions([this.#topic]);
    await this.#follower.compare(mine, theirs);
  }
}
