import type { Cancel } from "@holdfast/protocol";
import type { BrokerLink, Publication } from "../broker/broker.js";

/** How the events of a channel without history come here: as they are announced, and what is lost is lost. */
export class PlainFeed {
  readonly #topic: string;
  readonly #link: BrokerLink;
  readonly #deliver: (publication: Publication) => void;
  readonly #again: ((run: () => void) => Cancel) | undefined;
  #opening: Promise<void> | undefined;
  #isClosed = false;
  #cancelAgain: Cancel | undefined;

  /** `again`: when to try again what has failed, for a topic that nobody will ask for a second time. */
  constructor(
    topic: string,
    link: BrokerLink,
    deliver: (publication: Publication) => void,
    again?: (run: () => void) => Cancel,
  ) {
    this.#topic = topic;
    this.#link = link;
    this.#deliver = deliver;
    this.#again = again;
    this.#open();
  }

  prepare(): Promise<void> | undefined {
    return this.#opening;
  }

  receive(publication: Publication): void {
    this.#deliver(publication);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelAgain?.();
    this.#link.unsubscribe(this.#topic);
  }

  #open(): void {
    this.#opening = this.#link.subscribe(this.#topic).then(() => (this.#opening = undefined));
    // Whoever waits for it hears of it; nobody has to.
    this.#opening.catch(() => {
      if (!this.#isClosed) this.#cancelAgain = this.#again?.(() => this.#open());
    });
  }
}
