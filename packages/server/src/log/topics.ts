import type { Cancel, Position } from "@holdfast/protocol";
import type { Broker, BrokerInstance, BrokerLink, Publication } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";
import { Follower } from "./follower.js";

/**
 * Receives the publications of a topic. If the topic has a chain, its receiver is a `Follower`.
 */
export interface Receiver {
  receive(publication: Publication): void;
}

/**
 * How often positions are compared with the store. If no later announcement reveals a lost
 * announcement, the instance finds the loss and reads the missed publications within 20 s.
 */
const CHECK_MS = 15_000;
/** The most topics compared in one call. */
const AT_ONCE = 500;

/**
 * Joins the broker and passes each publication to the receiver of its topic. Compares the position
 * of every followed topic with the store, regularly and whenever the broker reports that
 * announcements may have been lost.
 */
export class Topics {
  readonly link: BrokerLink;
  readonly #receivers = new Map<string, Receiver>();
  readonly #environment: ServerEnvironment;
  /** The number of receivers with a chain. While the number is 0, no comparison is needed. */
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
   * Compares the positions of the followed topics with the store. If the last announcement of a
   * topic is lost and no other follows, only this comparison reveals the loss.
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
      // If the whole store is unreachable, `onDoubt` follows when the store is back. If only a part
      // is unreachable, the other topics can still be compared.
      () => some.length > 1 && some.forEach((one) => this.#compare([one])),
    );
  }

  close(): void {
    this.#receivers.clear();
    this.#chained = 0;
    this.#stopChecking?.();
  }
}
