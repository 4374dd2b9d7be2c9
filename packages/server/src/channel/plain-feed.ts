import type { BrokerLink, Publication } from "../broker/broker.js";

/** How the events of a channel without history come here: as they are announced, and what is lost is lost. */
export class PlainFeed {
  readonly #topic: string;
  readonly #link: BrokerLink;
  readonly #deliver: (publication: Publication) => void;
  #opening: Promise<void> | undefined;

  constructor(topic: string, link: BrokerLink, deliver: (publication: Publication) => void) {
    this.#topic = topic;
    this.#link = link;
    this.#deliver = deliver;
    this.#opening = link.subscribe(topic).then(() => (this.#opening = undefined));
    // Whoever waits for it hears of it; nobody has to.
    this.#opening.catch(() => undefined);
  }

  prepare(): Promise<void> | undefined {
    return this.#opening;
  }

  receive(publication: Publication): void {
    this.#deliver(publication);
  }

  close(): void {
    this.#link.unsubscribe(this.#topic);
  }
}
