import type { Environment } from "../environment.js";
import { Expiring } from "../expiring.js";
import type { Identity } from "./identity.js";

/** Long enough to open a connection with, short enough to be worthless in a log. */
const TICKET_MS = 30_000;

/** Whoever issues more than this within 30 s does it for nobody: the oldest go first. */
const MOST_TICKETS = 100_000;

/**
 * Remembers the tickets that were issued and not used: each opens one connection, once, within 30 s. For clients that can set
 * no header and send no first message; a ticket in an address is used up before it can be read in a log.
 */
export class Tickets {
  readonly #environment: Environment;
  readonly #identities = new Map<string, Identity>();
  readonly #expiring: Expiring<string>;

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#expiring = new Expiring(environment, TICKET_MS, (ticket) => void this.#identities.delete(ticket));
  }

  issue(identity: Identity): string {
    const { oldest } = this.#expiring;
    if (this.#expiring.size >= MOST_TICKETS && oldest !== undefined) this.take(oldest);
    const ticket = this.#environment.newId();
    this.#identities.set(ticket, identity);
    this.#expiring.add(ticket);
    return ticket;
  }

  /** Whom it was issued to, once. */
  take(ticket: string): Identity | undefined {
    const identity = this.#identities.get(ticket);
    this.#identities.delete(ticket);
    this.#expiring.delete(ticket);
    return identity;
  }

  clear(): void {
    this.#identities.clear();
    this.#expiring.clear();
  }
}
