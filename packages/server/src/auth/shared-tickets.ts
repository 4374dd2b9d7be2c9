import { HoldfastError, type Position } from "@holdfast/protocol";
import { isPlainObject } from "../call-options.js";
import type { BrokerLink } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";
import type { Identity } from "../session/identity.js";
import { type Issued, TICKET_MS, type TicketStore } from "./tickets.js";

const FIELD = "identity";

/** The orders to all instances, such as "end the sessions of this user". */
interface KnownOrders {
  /**
   * The position up to which this instance knows the orders; undefined while it cannot follow the
   * log of orders.
   */
  ordersKnown(): Promise<Position | undefined>;
}

export interface SharedTicketsParts {
  readonly link: BrokerLink;
  readonly environment: ServerEnvironment;
  readonly orders: KnownOrders;
}

/**
 * Tickets in the store that all instances share, used instead of `Tickets` if there is a broker.
 * Each ticket is a table with one field. Only one instance can delete the field, so a ticket opens
 * at most one connection, on any instance.
 *
 * A ticket records the offset of the last order that its issuer knew. If a later order disconnects
 * the user, the ticket is refused. Orders are counted, so the comparison does not depend on clocks.
 */
export class SharedTickets implements TicketStore {
  readonly #parts: SharedTicketsParts;

  constructor(parts: SharedTicketsParts) {
    this.#parts = parts;
  }

  /**
   * Stores a new ticket.
   * @throws HoldfastError UNAVAILABLE if the broker cannot be reached; INVALID_VALUE if JSON cannot
   *   hold the identity
   */
  async issue(identity: Identity): Promise<string> {
    const { link, environment, orders } = this.#parts;
    const known = await orders.ordersKnown();
    if (!known) throw new HoldfastError("UNAVAILABLE", "issueTicket: the broker cannot be reached.");
    const value = JSON.stringify({ identity, epoch: known.epoch, offset: known.offset });
    const read = JSON.parse(value) as { identity: unknown };
    if (!isSame(read.identity, identity))
      throw new HoldfastError(
        "INVALID_VALUE",
        "issueTicket: identity: expected values that JSON can hold, because the ticket is shared between instances.",
        {
          field: "identity",
        },
      );
    const ticket = environment.newId();
    const table = { entry: { field: FIELD, value }, ttlMs: TICKET_MS };
    await link.publish(topicOf(ticket), environment.newId(), "", { table });
    return ticket;
  }

  async take(ticket: string): Promise<Issued | undefined> {
    // The ticket becomes part of a topic name, so a peer must not choose it freely.
    if (!/^[\w-]{1,64}$/.test(ticket)) return undefined;
    const { link, environment, orders } = this.#parts;
    const table = { entry: { field: FIELD }, ttlMs: TICKET_MS };
    const { previous } = await link.publish(topicOf(ticket), environment.newId(), "", { table });
    if (previous === undefined) return undefined;
    const { identity, epoch, offset } = JSON.parse(previous) as Position & { identity: Identity };
    // The store has lost the log of orders since, or this instance cannot follow the log, so it is
    // unknown which orders are newer than the ticket.
    if ((await orders.ordersKnown())?.epoch !== epoch) return undefined;
    return { identity, judgedSince: { offset } };
  }

  clear(): void {}
}

function topicOf(ticket: string): string {
  return `$ticket:${ticket}`;
}

/** True if a value survived JSON unchanged. Properties that are undefined may be missing. */
function isSame(read: unknown, written: unknown): boolean {
  if (typeof written !== "object" || written === null) return read === written;
  if (typeof read !== "object" || read === null || Array.isArray(read) !== Array.isArray(written)) return false;
  return (
    (Array.isArray(written) || isPlainObject(written)) &&
    Object.entries(written).every(([key, value]) => isSame((read as Record<string, unknown>)[key], value as unknown))
  );
}
