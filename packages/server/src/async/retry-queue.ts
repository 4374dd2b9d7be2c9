import type { Cancel } from "@holdfast/protocol";
import type { ServerEnvironment } from "../environment.js";

/**
 * How long after something has failed it is tried again: the store is away, and its return should
 * be noticed soon.
 */
const RETRY_DELAY_MS = 1_000;
/**
 * How much is tried at once then. The first of them show whether there is any point in the others.
 */
const BATCH_SIZE = 100;

/**
 * Work that has to be done, however often it fails. For each key one attempt at a time, so that
 * what is stored is what was wanted last:
 *
 *   idle ──want──▶ running ──done──▶ idle, or running again where it was wanted meanwhile
 *                     └──failed──▶ failed ──a second──▶ running
 *
 * An attempt that can be made at once is: `want` starts it before it returns.
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

  /** Whether something about it is not done yet. */
  isPending(key: Key): boolean {
    return this.#running.has(key) || this.#failed.has(key);
  }

  /** Whether anything is not done yet. */
  get isBusy(): boolean {
    return this.#running.size > 0 || this.#failed.size > 0;
  }

  enqueue(key: Key): void {
    const running = this.#running.get(key);
    if (running) running.isWantedAgain = true;
    else if (!this.#isClosed) void this.#run(key);
  }

  /** The same for many, some at a time. */
  enqueueAll(keys: Iterable<Key>): void {
    for (const key of keys) {
      const running = this.#running.get(key);
      if (running) running.isWantedAgain = true;
      else this.#failed.add(key);
    }
    if (!this.#cancelRetry) void this.#retry();
  }

  /** Resolves when nothing is left to be done, or after this time. */
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

  /** Whether it has succeeded. */
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
