import { HoldfastError, type Position } from "@holdfast/protocol";
import { isPlainObject } from "../call-options.js";
import type { BrokerLink } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";
import type { Identity } from "../session/identity.js";
import { type Issued, TICKET_MS, type TicketStore } from "./tickets.js";

const FIELD = "identity";

/** The orders to all instances: disconnect this user, end that session. */
interface KnownOrders {
  /** Up to where they are known here; undefined if they cannot be followed. */
  ordersKnown(): Promise<Position | undefined>;
}

export interface SharedTicketsParts {
  readonly link: BrokerLink;
  readonly environment: ServerEnvironment;
  readonly orders: KnownOrders;
}

/**
 * Tickets in the store that the instances share, each a table with one field: whoever takes it out
 * is the one who has it, so it opens one connection on whatever instance.
 *
 * A ticket says which orders its issuer knew. Whoever was disconnected by a later one does not come
 * in with it. Clocks have no part in that: the orders are counted.
 */
export class SharedTickets implements TicketStore {
  readonly #parts: SharedTicketsParts;

  constructor(parts: SharedTicketsParts) {
    this.#parts = parts;
  }

  /** @throws HoldfastError UNAVAILABLE; INVALID_VALUE for an identity that cannot travel */
  async issue(identity: Identity): Promise<string> {
    const { link, environment, orders } = this.#parts;
    const known = await orders.ordersKnown();
    if (!known) throw new HoldfastError("UNAVAILABLE", "issueTicket: the broker cannot be reached.");
    const value = JSON.stringify({ identity, epoch: known.epoch, offset: known.offset });
    const read = JSON.parse(value) as { identity: unknown };
    if (!isSame(read.identity, identity))
      throw new HoldfastError(
        "INVALID_VALUE",
        "issueTicket: identity: only what JSON holds travels to other instances.",
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
    // The name of a topic is not a peer's to choose.
    if (!/^[\w-]{1,64}$/.test(ticket)) return undefined;
    const { link, environment, orders } = this.#parts;
    const table = { entry: { field: FIELD }, ttlMs: TICKET_MS };
    const { previous } = await link.publish(topicOf(ticket), environment.newId(), "", { table });
    if (previous === undefined) return undefined;
    const { identity, epoch, offset } = JSON.parse(previous) as Position & { identity: Identity };
    // The store has lost the orders since: which of them came later cannot be said.
    if ((await orders.ordersKnown())?.epoch !== epoch) return undefined;
    return { identity, judgedSince: { offset } };
  }

  clear(): void {}
}

function topicOf(ticket: string): string {
  return `$ticket:${ticket}`;
}

/** Whether something was read as it was written. What is undefined may be left out. */
function isSame(read: unknown, written: unknown): boolean {
  if (typeof written !== "object" || written === null) return read === written;
  if (typeof read !== "object" || read === null || Array.isArray(read) !== Array.isArray(written)) return false;
  return (
    (Array.isArray(written) || isPlainObject(written)) &&
    Object.entries(written).every(([key, value]) => isSame((read as Record<string, unknown>)[key], value as unknown))
  );
}
