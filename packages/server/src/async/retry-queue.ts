import type { Cancel } from "@holdfast/protocol";
import type { ServerEnvironment } from "../environment.js";

/** Delay before failed work is retried. Short, so that the return of the store is noticed soon. */
const RETRY_DELAY_MS = 1_000;
/**
 * Keys retried in one batch. If an attempt of a batch fails, the remaining keys wait for the next
 * delay.
 */
const BATCH_SIZE = 100;

/**
 * Runs one attempt at a time for each key and retries until the attempt succeeds or the queue is
 * closed. If a key is enqueued again during its attempt, the attempt runs once more, so the latest
 * value is stored in the end.
 *
 *   idle ──enqueue──▶ running ──success──▶ idle (or running, if enqueued meanwhile)
 *                        └────failure──▶ failed ──after RETRY_DELAY_MS──▶ running
 *
 * `enqueue` starts the first attempt synchronously.
 */
export class RetryQueue<Key> {
  readonly #environment: ServerEnvironment;
  readonly #attempt: (key: Key) => Promise<void>;
  readonly #running = new Map<Key, { isWantedAgain: boolean }>();
  readonly #failed = new Set<Key>();
  readonly #whenIdle = new Set<() => void>();
  #cancelRetry: Cancel | undefined;
  #isClosed = false;

  constructor(environment: ServerEnvironment, attempt: (key: Key) => Promise<void>) {
    this.#environment = environment;
    this.#attempt = attempt;
  }

  /** True while the key is running or waiting for a retry. */
  isPending(key: Key): boolean {
    return this.#running.has(key) || this.#failed.has(key);
  }

  /** True while any key is running or waiting for a retry. */
  get isBusy(): boolean {
    return this.#running.size > 0 || this.#failed.size > 0;
  }

  enqueue(key: Key): void {
    const running = this.#running.get(key);
    if (running) running.isWantedAgain = true;
    else if (!this.#isClosed) void this.#run(key);
  }

  /**
   * Enqueues many keys and runs them in batches. If a retry is scheduled, the keys wait for that
   * retry.
   */
  enqueueAll(keys: Iterable<Key>): void {
    for (const key of keys) {
      const running = this.#running.get(key);
      if (running) running.isWantedAgain = true;
      else this.#failed.add(key);
    }
    if (!this.#cancelRetry) void this.#retry();
  }

  /** Resolves when the queue is empty, or after `limitMs` milliseconds. */
  drained(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        this.#whenIdle.delete(finish);
        cancel();
        resolve();
      };
      const cancel = this.#environment.after(limitMs, finish);
      this.#whenIdle.add(finish);
      this.#tellIdle();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#failed.clear();
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#tellIdle();
  }

  /** Runs an attempt. Resolves with whether the attempt succeeded. */
  async #run(key: Key): Promise<boolean> {
    this.#failed.delete(key);
    const state = { isWantedAgain: false };
    this.#running.set(key, state);
    let isDone = true;
    try {
      await this.#attempt(key);
    } catch {
      isDone = false;
    }
    this.#running.delete(key);
    if (this.#isClosed) isDone = true;
    else if (!isDone) {
      this.#failed.add(key);
      this.#cancelRetry ??= this.#environment.afterIdle(RETRY_DELAY_MS, () => {
        this.#cancelRetry = undefined;
        void this.#retry();
      });
    } else if (state.isWantedAgain) return this.#run(key);
    this.#tellIdle();
    return isDone;
  }

  async #retry(): Promise<void> {
    for (let isDone = true; isDone && this.#failed.size > 0 && !this.#isClosed;) {
      const some = [...this.#failed].slice(0, BATCH_SIZE);
      isDone = (await Promise.all(some.map((key) => this.#run(key)))).every(Boolean);
    }
  }

  #tellIdle(): void {
    if (this.isBusy) return;
    for (const tell of [...this.#whenIdle]) tell();
  }
}
