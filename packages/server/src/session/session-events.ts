import { isThenable } from "../environment.js";
import type { Logger } from "../observe/logger.js";
import type { SessionEvent } from "./session.js";

type Listener = (event: SessionEvent) => unknown;

/**
 * Tells the application what happens to sessions. In order, whatever a listener does: one that
 * disconnects the session it was just told of causes an event that the other listeners hear after
 * this one.
 */
export class SessionEvents {
  readonly #logger: Logger;
  readonly #listeners = new Set<{ readonly listener: Listener }>();
  #waiting: SessionEvent[] = [];
  #isTelling = false;
  #atWork = 0;
  readonly #whenIdle: (() => void)[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  on(listener: Listener): () => void {
    const entry = { listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  /** Several at once are told when the first of them is: nothing comes between. */
  tell(...events: SessionEvent[]): void {
    this.#waiting.push(...events);
    if (this.#isTelling) return;
    this.#isTelling = true;
    for (let event; (event = this.#waiting.shift());)
      for (const { listener } of [...this.#listeners]) this.#call(listener, event);
    this.#isTelling = false;
  }

  /** Resolves when no listener is at work any more. */
  idle(): Promise<void> {
    if (this.#atWork === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#whenIdle.push(resolve));
  }

  /** Counted, and not kept: one that never ends is the application's to wonder about. */
  async #follow(work: PromiseLike<unknown>, failed: (error: unknown) => void): Promise<void> {
    this.#atWork++;
    try {
      await work;
    } catch (error) {
      failed(error);
    } finally {
      if (--this.#atWork === 0) for (const tell of this.#whenIdle.splice(0)) tell();
    }
  }

  #call(listener: Listener, event: SessionEvent): void {
    const failed = (error: unknown): void =>
      this.#logger.error({ session: event.session.id, err: error }, "a listener of onSession failed");
    try {
      const result = listener(event);
      // Listeners that write to a database are async, and theirs is not the process's to die of.
      if (isThenable(result)) void this.#follow(result, failed);
    } catch (error) {
      failed(error);
    }
  }
}
