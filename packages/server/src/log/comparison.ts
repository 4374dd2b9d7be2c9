import type { BrokerLink } from "../broker/broker.js";
import type { Follower } from "./follower.js";

/**
 * Compares where a follower stands with where the store says that its topic stands, and has it
 * repaired if they differ. However many clients need a comparison at a time, the store is asked
 * once.
 */
export class Comparison {
  readonly #topic: string;
  readonly #link: BrokerLink;
  readonly #follower: Follower;
  #running: Promise<void> = Promise.resolve();
  /** The comparison that begins when the running one is over. */
  #next: Promise<void> | undefined;

  constructor(topic: string, link: BrokerLink, follower: Follower) {
    this.#topic = topic;
    this.#link = link;
    this.#follower = follower;
  }

  /**
   * Resolves when a comparison is over that began after this call; rejects if the store cannot be
   * asked.
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
    // A reading that is under way may be older than what is asked about.
    await this.#follower.repaired;
    const mine = this.#follower.position!;
    const [theirs] = await this.#link.positions([this.#topic]);
    await this.#follower.compare(mine, theirs);
  }
}
