import type { ServerEnvironment } from "../environment.js";
import { ExpiryQueue } from "../async/expiry-queue.js";
import type { ClientSession } from "./client-session.js";

/** Which of a user's sessions are meant. */
export type SessionFilter = (session: ClientSession) => boolean;

/**
 * An order to all instances, and its place among these: how many there were before it. Undefined:
 * it has none yet.
 */
export interface OrderPlace {
  readonly id: string;
  readonly offset?: number | undefined;
  /**
   * Given before this instance was there: it says something about tickets that are older still, and
   * about nobody who is here.
   */
  readonly isOld?: boolean | undefined;
}

/**
 * When a credential was judged: at a moment of this instance, or, on another one, when that knew
 * the orders to all instances up to this offset.
 */
export type JudgedSince = number | { readonly offset: number };

/** How a user or session was ended. */
interface RecentDisconnect {
  readonly key: string;
  readonly at: number;
  /** Where it was an order to all instances: its place. */
  place: OrderPlace | undefined;
  readonly code: number;
  readonly reason: string;
  readonly where: SessionFilter | undefined;
}

/**
 * Remembers who was disconnected or revoked, for as long as a credential may be in judgement. An
 * application that bans a user and then disconnects them means the connection too that had been
 * judged good a moment before and is not open yet; it would come in behind the back of the ban.
 */
export class RecentDisconnects {
  readonly #disconnects = new Map<string, RecentDisconnect[]>();
  readonly #expiry: ExpiryQueue<RecentDisconnect>;
  /** Those of this instance that have no place yet. */
  readonly #unplaced = new Map<string, RecentDisconnect>();
  /**
   * Counts endings: two in one millisecond are told apart, and a clock that is set back harms
   * nothing.
   */
  #moment = 0;
  #isClosed = false;

  /**
   * `rememberMs`: the longest time between the judgement of a credential and the session it opens.
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

  /** An order of this instance has got its place. */
  placed(place: OrderPlace): void {
    const ending = this.#unplaced.get(place.id);
    if (ending) ending.place = place;
    this.#unplaced.delete(place.id);
  }

  /**
   * How a session that is about to begin, or the one it would like to continue, was ended after
   * that.
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

  /** The server has closed: nobody comes in any more, and no timer may start. */
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

  /** It is the oldest of its key. */
  #forget({ key, place }: RecentDisconnect): void {
    const endings = this.#disconnects.get(key);
    endings?.shift();
    if (endings?.length === 0) this.#disconnects.delete(key);
    if (place) this.#unplaced.delete(place.id);
  }
}

/**
 * One that fails counts as met: of the two mistakes, the one that ends a session can be made good.
 */
function holds(where: SessionFilter, session: ClientSession): boolean {
  try {
    return where(session);
  } catch {
    return true;
  }
}
