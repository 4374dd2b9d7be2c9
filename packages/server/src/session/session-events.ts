import { isThenable } from "../environment.js";
import type { Logger } from "../observe/logger.js";
import type { SessionEvent } from "./session.js";

type Listener = (event: SessionEvent) => unknown;

/**
 * Calls the application's `onSession` listeners. All listeners receive the events in the same
 * order. If a listener disconnects a session, the resulting event is delivered after the current
 * event has reached every listener.
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

  /**
   * Queues the events together, so that no other event comes between them, and delivers the queue.
   */
  tell(...events: SessionEvent[]): void {
    this.#waiting.push(...events);
    if (this.#isTelling) return;
    this.#isTelling = true;
    for (let event; (event = this.#waiting.shift());)
      for (const { listener } of [...this.#listeners]) this.#call(listener, event);
    this.#isTelling = false;
  }

  /** Resolves when no asynchronous listener is running. */
  idle(): Promise<void> {
    if (this.#atWork === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#whenIdle.push(resolve));
  }

  /**
   * Running listeners are counted but not stored. If a listener never settles, `idle` never
   * resolves, so its callers set a time limit.
   */
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
      this.#logger.error({ session: event.session.id, err: error }, "onSession listener failed");
    try {
      const result = listener(event);
      // Listeners that write to a database are asynchronous. Their rejection must not end the
      // process.
      if (isThenable(result)) void this.#follow(result, failed);
    } catch (error) {
      failed(error);
    }
  }
}
