import type { Cancel, Position } from "@holdfast/protocol";
import type { BrokerLink, Publication } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";
import type { Follower } from "./follower.js";

/** Who takes what is published on a topic. */
export interface Receiver {
  receive(publication: Publication): void;
  /** Where the topic has a chain: what follows it. */
  readonly follower?: Follower | undefined;
}

/** With a reading behind it, a loss that nothing else shows is found within 20 s. */
const CHECK_MS = 15_000;
/** Topics asked about in one go. */
const AT_ONCE = 500;

/** The topics that this instance follows, and who takes what is published on them. */
export class Topics {
  readonly #receivers = new Map<string, Receiver>();
  readonly #environment: ServerEnvironment;
  readonly #link: () => BrokerLink;
  /** How many of them have a chain. While there are none, there is nothing to compare. */
  #chained = 0;
  #stopChecking: Cancel | undefined;

  constructor(environment: ServerEnvironment, link: () => BrokerLink) {
    this.#environment = environment;
    this.#link = link;
  }

  follow(topic: string, receiver: Receiver): void {
    this.#receivers.set(topic, receiver);
    if (receiver.follower && ++this.#chained === 1)
      this.#stopChecking = this.#environment.every(CHECK_MS, () => this.check());
  }

  unfollow(topic: string): void {
    const receiver = this.#receivers.get(topic);
    this.#receivers.delete(topic);
    if (receiver?.follower && --this.#chained === 0) this.#stopChecking?.();
  }

  receive(topic: string, publication: Publication): void {
    this.#receivers.get(topic)?.receive(publication);
  }

  /** Compares where the followed topics stand with where the store says they do: the last of a quiet topic may be missing. */
  check(): void {
    const open = [...this.#receivers].flatMap(([topic, { follower }]) => {
      const mine = follower?.position;
      return follower && mine ? [{ topic, follower, mine }] : [];
    });
    for (let start = 0; start < open.length; start += AT_ONCE) this.#compare(open.slice(start, start + AT_ONCE));
  }

  #compare(some: readonly { topic: string; follower: Follower; mine: Position }[]): void {
    this.#link()
      .positions(some.map(({ topic }) => topic))
      .then(
        (theirs) => some.forEach(({ follower, mine }, index) => void follower.compare(mine, theirs[index])),
        // The store is away, and when it is back everything is in doubt anyway; or a part of it is, and the rest can be asked.
        () => some.length > 1 && some.forEach((one) => this.#compare([one])),
      );
  }

  close(): void {
    this.#receivers.clear();
    this.#chained = 0;
    this.#stopChecking?.();
  }
}
