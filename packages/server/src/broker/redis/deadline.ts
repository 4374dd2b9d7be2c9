import type { ServerEnvironment } from "../../environment.js";
import { ExpiryQueue } from "../../async/expiry-queue.js";

/**
 * The time limit of a call: less than the second within which every promise of the link settles.
 */
export const DEADLINE_MS = 900;

interface Pending {
  isOver: boolean;
  giveUp(): void;
}

/** Limits the time of calls in flight. All calls have the same limit, so one timer is enough. */
export class Deadlines {
  readonly #environment: ServerEnvironment;
  readonly #pending: ExpiryQueue<Pending>;

  constructor(environment: ServerEnvironment) {
    this.#environment = environment;
    this.#pending = new ExpiryQueue(environment, DEADLINE_MS, (pending) => pending.giveUp());
  }

  /**
   * Starts a call and rejects with `late()` after `DEADLINE_MS`. The function passed to `start`
   * tells whether the call was rejected in this way.
   */
  within<Value>(start: (isOver: () => boolean) => Promise<Value>, late: () => Error): Promise<Value> {
    return new Promise((resolve, reject) => {
      let isSettled = false;
      const pending: Pending = {
        isOver: false,
        // If this process was blocked, the answer may have arrived but not been read. Sockets are
        // read before the end of the turn.
        giveUp: () =>
          this.#environment.atEndOfTurn(() => {
            if (isSettled) return;
            pending.isOver = true;
            reject(late());
          }),
      };
      this.#pending.add(pending);
      start(() => pending.isOver).then(
        (value) => {
          isSettled = true;
          this.#pending.delete(pending);
          resolve(value);
        },
        (error: unknown) => {
          isSettled = true;
          this.#pending.delete(pending);
          reject(error as Error);
        },
      );
    });
  }

  close(): void {
    this.#pending.clear();
  }
}
