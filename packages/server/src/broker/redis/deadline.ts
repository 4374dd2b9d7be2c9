import type { ServerEnvironment } from "../../environment.js";
import { ExpiryQueue } from "../../async/expiry-queue.js";

/** Below the second within which every promise of a link is kept or refused. */
export const DEADLINE_MS = 900;

interface Pending {
  isOver: boolean;
  giveUp(): void;
}

/** What is under way and has a time limit, all the same one, on one timer. */
export class Deadlines {
  readonly #environment: ServerEnvironment;
  readonly #pending: ExpiryQueue<Pending>;

  constructor(environment: ServerEnvironment) {
    this.#environment = environment;
    this.#pending = new ExpiryQueue(environment, DEADLINE_MS, (pending) => pending.giveUp());
  }

  /**
   * `start` is told, by its argument, whether somebody still waits. `late` makes the error for when
   * it took too long.
   */
  within<Value>(start: (isOver: () => boolean) => Promise<Value>, late: () => Error): Promise<Value> {
    return new Promise((resolve, reject) => {
      let isSettled = false;
      const pending: Pending = {
        isOver: false,
        // When this process itself was held up, the answer is there and only has to be read, which
        // this turn does first.
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
