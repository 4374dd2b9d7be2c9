import type { Cancel } from "@holdfast/protocol";
import type { ServerEnvironment } from "../environment.js";

/**
 * Things that run out a fixed time after they were put in. They run out in the order they came, so
 * one timer serves them all, and there is none while nothing waits.
 */
export class ExpiryQueue<Item> {
  readonly #environment: ServerEnvironment;
  readonly #afterMs: number;
  readonly #onExpired: (item: Item) => void;
  readonly #dueAt = new Map<Item, number>();
  #cancel: Cancel | undefined;

  constructor(environment: ServerEnvironment, afterMs: number, onExpired: (item: Item) => void) {
    this.#environment = environment;
    this.#afterMs = afterMs;
    this.#onExpired = onExpired;
  }

  get size(): number {
    return this.#dueAt.size;
  }

  /** The one that runs out next. */
  get oldest(): Item | undefined {
    return this.#dueAt.keys().next().value;
  }

  /** Puts it in, or starts its time anew. */
  add(item: Item): void {
    this.#dueAt.delete(item);
    this.#dueAt.set(item, this.#environment.monotonic() + this.#afterMs);
    this.#arm();
  }

  delete(item: Item): boolean {
    const found = this.#dueAt.delete(item);
    if (this.#dueAt.size === 0) this.#disarm();
    return found;
  }

  clear(): void {
    this.#dueAt.clear();
    this.#disarm();
  }

  /**
   * For the oldest; when that one has been taken out meanwhile, the timer finds nothing due and is
   * set anew.
   */
  #arm(): void {
    const [dueAt] = this.#dueAt.values();
    if (this.#cancel || dueAt === undefined) return;
    const waitMs = Math.max(0, dueAt - this.#environment.monotonic());
    this.#cancel = this.#environment.afterIdle(waitMs, this.#expire);
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  readonly #expire = (): void => {
    this.#cancel = undefined;
    const now = this.#environment.monotonic();
    for (const [item, dueAt] of this.#dueAt) {
      if (dueAt > now) break;
      this.#dueAt.delete(item);
      this.#onExpired(item);
    }
    this.#arm();
  };
}
