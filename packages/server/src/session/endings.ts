import type { Environment } from "../environment.js";
import { Expiring } from "../expiring.js";

/** How a user or session was ended. */
interface Ending {
  readonly at: number;
  readonly code: number;
  readonly reason: string;
}

/**
 * Remembers who was disconnected or revoked, for as long as a credential may be in judgement. An application that bans a user
 * and then disconnects them means the connection too that had been judged good a moment before and is not open yet; it would
 * come in behind the back of the ban.
 */
export class Endings {
  readonly #endings = new Map<string, Ending>();
  readonly #expiring: Expiring<string>;
  /** Counts endings: two in one millisecond are told apart, and a clock that is set back harms nothing. */
  #moment = 0;

  constructor(environment: Environment, authTimeoutMs: number) {
    // Once in the upgrade request, once more until `auth` has been said and judged.
    this.#expiring = new Expiring(environment, 3 * authTimeoutMs, (key) => void this.#endings.delete(key));
  }

  get moment(): number {
    return this.#moment;
  }

  user(userId: string, code: number, reason: string): void {
    this.#remember(`user ${userId}`, code, reason);
  }

  session(id: string, code: number, reason: string): void {
    this.#remember(`session ${id}`, code, reason);
  }

  /** Whether the user, or the session they would like to continue, was ended after that moment. */
  since(moment: number, userId: string, sessionId: string | undefined): Ending | undefined {
    const found = [this.#endings.get(`user ${userId}`), this.#endings.get(`session ${sessionId}`)];
    return found.find((ending) => ending && ending.at > moment);
  }

  clear(): void {
    this.#endings.clear();
    this.#expiring.clear();
  }

  #remember(key: string, code: number, reason: string): void {
    this.#endings.set(key, { at: ++this.#moment, code, reason });
    this.#expiring.add(key);
  }
}
