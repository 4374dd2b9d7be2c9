import type { Cancel, Position } from "@holdfast/protocol";
import type { Broker, BrokerInstance, BrokerLink, Publication } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";
import { Follower } from "./follower.js";

/** Takes what is published on a topic: a Follower if the topic has a chain. */
export interface Receiver {
  receive(publication: Publication): void;
}

/** With a reading behind it, a loss that nothing else shows is found within 20 s. */
const CHECK_MS = 15_000;
/** Topics asked about in one go. */
const AT_ONCE = 500;

/** Joins the broker, and gives each publication to the receiver of its topic. */
export class Topics {
  readonly link: BrokerLink;
  readonly #receivers = new Map<string, Receiver>();
  readonly #environment: ServerEnvironment;
  /** How many of them have a chain. While there are none, there is nothing to compare. */
  #chained = 0;
  #stopChecking: Cancel | undefined;

  constructor(broker: Broker, instance: Omit<BrokerInstance, "receive" | "onDoubt">) {
    this.#environment = instance.environment;
    this.link = broker.join({
      ...instance,
      receive: (topic, publication) => this.#receivers.get(topic)?.receive(publication),
      onDoubt: () => this.#check(),
    });
  }

  follow(topic: string, receiver: Receiver): void {
    this.#receivers.set(topic, receiver);
    if (receiver instanceof Follower && ++this.#chained === 1)
      this.#stopChecking = this.#environment.every(CHECK_MS, () => this.#check());
  }

  unfollow(topic: string): void {
    const receiver = this.#receivers.get(topic);
    this.#receivers.delete(topic);
    if (receiver instanceof Follower && --this.#chained === 0) this.#stopChecking?.();
  }

  /**
   * Compares where the followed topics stand with where the store says they do: the last of a quiet
   * topic may be missing.
   */
  #check(): void {
    const open = [...this.#receivers].flatMap(([topic, follower]) => {
      const mine = follower instanceof Follower ? follower.position : undefined;
      return mine ? [{ topic, follower: follower as Follower, mine }] : [];
    });
    for (let start = 0; start < open.length; start += AT_ONCE) this.#compare(open.slice(start, start + AT_ONCE));
  }

  #compare(some: readonly { topic: string; follower: Follower; mine: Position }[]): void {
    this.link.positions(some.map(({ topic }) => topic)).then(
      (theirs) => some.forEach(({ follower, mine }, index) => void follower.compare(mine, theirs[index])),
      // The store is away, and when it is back everything is in doubt anyway; or a part of it is,
      // and the rest can be asked.
      () => some.length > 1 && some.forEach((one) => this.#compare([one])),
    );
  }

  close(): void {
    this.#receivers.clear();
    this.#chained = 0;
    this.#stopChecking?.();
  }
}
