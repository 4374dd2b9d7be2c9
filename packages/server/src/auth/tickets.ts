import type { ServerEnvironment } from "../environment.js";
import { ExpiryQueue } from "../async/expiry-queue.js";
import type { JudgedSince } from "../session/recent-disconnects.js";
import type { Identity } from "../session/identity.js";

/** Long enough to open a connection with, short enough to be worthless in a log. */
export const TICKET_MS = 30_000;

/** Whom a ticket was issued to, and when: who has been banned since does not come in with it. */
export interface Issued {
  readonly identity: Identity;
  readonly judgedSince: JudgedSince;
}

/** Where tickets are remembered. */
export interface TicketStore {
  issue(identity: Identity): string | Promise<string>;
  /** Whom it was issued to, once. */
  take(ticket: string): Issued | undefined | Promise<Issued | undefined>;
  clear(): void;
}

/** Whoever issues more than this within 30 s does it for nobody: the oldest go first. */
const MOST_TICKETS = 100_000;

/**
 * Remembers the tickets that were issued and not used: each opens one connection, once, within 30
 * s. For clients that can set no header and send no first message; a ticket in an address is used
 * up before it can be read in a log.
 */
export class Tickets implements TicketStore {
  readonly #environment: ServerEnvironment;
  readonly #sessions: { readonly moment: number };
  readonly #issued = new Map<string, Issued>();
  readonly #expiry: ExpiryQueue<string>;

  /** `sessions`: their moment tells which disconnects come after a ticket was issued. */
  constructor(environment: ServerEnvironment, sessions: { readonly moment: number }) {
    this.#environment = environment;
    this.#sessions = sessions;
    this.#expiry = new ExpiryQueue(environment, TICKET_MS, (ticket) => void this.#issued.delete(ticket));
  }

  issue(identity: Identity): string {
    const { oldest } = this.#expiry;
    if (this.#expiry.size >= MOST_TICKETS && oldest !== undefined) this.take(oldest);
    const ticket = this.#environment.newId();
    this.#issued.set(ticket, { identity, judgedSince: this.#sessions.moment });
    this.#expiry.add(ticket);
    return ticket;
  }

  /** Whom it was issued to, once. */
  take(ticket: string): Issued | undefined {
    const issued = this.#issued.get(ticket);
    this.#issued.delete(ticket);
    this.#expiry.delete(ticket);
    return issued;
  }

  clear(): void {
    this.#issued.clear();
    this.#expiry.clear();
  }
}
