import type { ServerEnvironment } from "../environment.js";
import { ExpiryQueue } from "../async/expiry-queue.js";
import type { JudgedSince } from "../session/recent-disconnects.js";
import type { Identity } from "../session/identity.js";

/**
 * How long a ticket is valid. Long enough to open a connection, short enough that a ticket found in
 * a log is worthless.
 */
export const TICKET_MS = 30_000;

/**
 * The identity that a ticket was issued for, and the moment of issue. If the user was disconnected
 * since, the ticket is refused.
 */
export interface Issued {
  readonly identity: Identity;
  readonly judgedSince: JudgedSince;
}

/** Stores issued tickets until they are used or expire. */
export interface TicketStore {
  issue(identity: Identity): string | Promise<string>;
  /** Returns the ticket's identity and removes the ticket, so it works only once. */
  take(ticket: string): Issued | undefined | Promise<Issued | undefined>;
  clear(): void;
}

/**
 * The most tickets that are stored, far more than an application needs within 30 s. Beyond this
 * number, each new ticket drops the oldest.
 */
const MOST_TICKETS = 100_000;

/**
 * Tickets in the memory of this instance. Each ticket opens at most one connection, within 30 s.
 * Tickets are for clients that can neither set a header nor send a first message. A ticket in a URL
 * is usually used up before it can be read in a log. `SharedTickets` stores tickets for several
 * instances.
 */
export class Tickets implements TicketStore {
  readonly #environment: ServerEnvironment;
  readonly #sessions: { readonly moment: number };
  readonly #issued = new Map<string, Issued>();
  readonly #expiry: ExpiryQueue<string>;

  /** The moment of `sessions` tells which disconnects are newer than a ticket. */
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

  /** Returns the ticket's identity and removes the ticket, so it works only once. */
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
