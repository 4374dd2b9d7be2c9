import type { ServerEnvironment } from "../environment.js";
import { ExpiryQueue } from "../async/expiry-queue.js";
import type { ClientSession } from "./client-session.js";

/** Selects sessions of a user. */
export type SessionFilter = (session: ClientSession) => boolean;

/**
 * An order to all instances. `offset` is the order's offset in the log of orders; undefined until
 * the broker has assigned one.
 */
export interface OrderPlace {
  readonly id: string;
  readonly offset?: number | undefined;
  /**
   * True if the order was issued before this instance started. Such an order applies to older
   * tickets, but not to the sessions of this instance.
   */
  readonly isOld?: boolean | undefined;
}

/**
 * When a credential was checked: a moment of this instance, or, for a check on another instance,
 * the offset of the last order that the other instance knew.
 */
export type JudgedSince = number | { readonly offset: number };

/** A disconnect of a user or a session, kept for `rememberMs`. */
interface RecentDisconnect {
  readonly key: string;
  readonly at: number;
  /** The order to all instances that caused the disconnect, if any. */
  place: OrderPlace | undefined;
  readonly code: number;
  readonly reason: string;
  readonly where: SessionFilter | undefined;
}

/**
 * Remembers which users and sessions were disconnected, for as long as a credential may be in the
 * middle of its check. If an application bans a user and then disconnects all of the user's
 * sessions, a connection may exist that was authenticated just before the ban and is not open yet.
 * `Sessions` asks this class before opening a session, so such a connection is refused too.
 */
export class RecentDisconnects {
  readonly #disconnects = new Map<string, RecentDisconnect[]>();
  readonly #expiry: ExpiryQueue<RecentDisconnect>;
  /** Disconnects by an order of this instance that has no offset yet. */
  readonly #unplaced = new Map<string, RecentDisconnect>();
  /**
   * Counts disconnects. A counter distinguishes two disconnects in the same millisecond, and a
   * clock that is set back has no effect.
   */
  #moment = 0;
  #isClosed = false;

  /**
   * `rememberMs` is the longest time between the check of a credential and the session that it
   * opens.
   */
  constructor(environment: ServerEnvironment, rememberMs: number) {
    this.#expiry = new ExpiryQueue(environment, rememberMs, (ending) => this.#forget(ending));
  }

  get moment(): number {
    return this.#moment;
  }

  user(userId: string, code: number, reason: string, where: SessionFilter | undefined, place?: OrderPlace): void {
    this.#remember({ key: `user ${userId}`, at: this.#momentOf(place), code, reason, where, place });
  }

  session(id: string, code: number, reason: string, place?: OrderPlace): void {
    this.#remember({ key: `session ${id}`, at: this.#momentOf(place), code, reason, where: undefined, place });
  }

  /** An order of this instance has received an offset. */
  placed(place: OrderPlace): void {
    const ending = this.#unplaced.get(place.id);
    if (ending) ending.place = place;
    this.#unplaced.delete(place.id);
  }

  /**
   * Returns the first disconnect after `judged` that applies to a session about to begin, or to the
   * session that the client wants to resume.
   */
  since(judged: JudgedSince, session: ClientSession, wantedId: string | undefined): RecentDisconnect | undefined {
    const ofUser = this.#disconnects.get(`user ${session.userId}`) ?? [];
    const ofSession = this.#disconnects.get(`session ${wantedId}`) ?? [];
    const isLater = ({ at, place }: RecentDisconnect): boolean =>
      typeof judged === "number" ? at > judged : (place?.offset ?? Number.POSITIVE_INFINITY) > judged.offset;
    return [...ofUser, ...ofSession].find(
      (ending) => isLater(ending) && (!ending.where || holds(ending.where, session)),
    );
  }

  /** The server has closed. No connection can open any more, and no timer may start. */
  close(): void {
    this.#isClosed = true;
    this.#disconnects.clear();
    this.#unplaced.clear();
    this.#expiry.clear();
  }

  #momentOf(place: OrderPlace | undefined): number {
    return place?.isOld ? 0 : ++this.#moment;
  }

  #remember(ending: RecentDisconnect): void {
    if (this.#isClosed) return;
    const others = this.#disconnects.get(ending.key);
    if (others) others.push(ending);
    else this.#disconnects.set(ending.key, [ending]);
    if (ending.place && ending.place.offset === undefined) this.#unplaced.set(ending.place.id, ending);
    this.#expiry.add(ending);
  }

  /** Entries of one key expire in order, so the expired one is the first. */
  #forget({ key, place }: RecentDisconnect): void {
    const endings = this.#disconnects.get(key);
    endings?.shift();
    if (endings?.length === 0) this.#disconnects.delete(key);
    if (place) this.#unplaced.delete(place.id);
  }
}

/**
 * A filter that throws counts as a match. If a session is refused without need, the user can log in
 * again; a session that survives a ban would stay.
 */
function holds(where: SessionFilter, session: ClientSession): boolean {
  try {
    return where(session);
  } catch {
    return true;
  }
}
