import type { Environment } from "../environment.js";
import { Expiring } from "../expiring.js";
import type { ClientSession } from "./session.js";

/** Which of a user's sessions are meant. */
export type Where = (session: ClientSession) => boolean;

/** How a user or session was ended. */
interface Ending {
  readonly key: string;
  readonly at: number;
  readonly code: number;
  readonly reason: string;
  readonly where: Where | undefined;
}

/**
 * Remembers who was disconnected or revoked, for as long as a credential may be in judgement. An application that bans a user
 * and then disconnects them means the connection too that had been judged good a moment before and is not open yet; it would
 * come in behind the back of the ban.
 */
export class Endings {
  readonly #endings = new Map<string, Ending[]>();
  readonly #expiring: Expiring<Ending>;
  /** Counts endings: two in one millisecond are told apart, and a clock that is set back harms nothing. */
  #moment = 0;
  #isClosed = false;

  /** `rememberMs`: the longest time between the judgement of a credential and the session it opens. */
  constructor(environment: Environment, rememberMs: number) {
    this.#expiring = new Expiring(environment, rememberMs, ({ key }) => this.#forgetOldest(key));
  }

  get moment(): number {
    return this.#moment;
  }

  user(userId: string, code: number, reason: string, where: Where | undefined): void {
    this.#remember(`user ${userId}`, code, reason, where);
  }

  session(id: string, code: number, reason: string): void {
    this.#remember(`session ${id}`, code, reason, undefined);
  }

  /** How a session that is about to begin, or the one it would like to continue, was ended after that moment. */
  since(moment: number, session: ClientSession, wantedId: string | undefined): Ending | undefined {
    const ofUser = this.#endings.get(`user ${session.userId}`) ?? [];
    const ofSession = this.#endings.get(`session ${wantedId}`) ?? [];
    return [...ofUser, ...ofSession].find(({ at, where }) => at > moment && (!where || holds(where, session)));
  }

  /** The server has closed: nobody comes in any more, and no timer may start. */
  close(): void {
    this.#isClosed = true;
    this.#endings.clear();
    this.#expiring.clear();
  }

  #remember(key: string, code: number, reason: string, where: Where | undefined): void {
    if (this.#isClosed) return;
    const ending = { key, at: ++this.#moment, code, reason, where };
    const others = this.#endings.get(key);
    if (others) others.push(ending);
    else this.#endings.set(key, [ending]);
    this.#expiring.add(ending);
  }

  #forgetOldest(key: string): void {
    const endings = this.#endings.get(key);
    endings?.shift();
    if (endings?.length === 0) this.#endings.delete(key);
  }
}

/** One that fails counts as met: of the two mistakes, the one that ends a session can be made good. */
function holds(where: Where, session: ClientSession): boolean {
  try {
    return where(session);
  } catch {
    return true;
  }
}
