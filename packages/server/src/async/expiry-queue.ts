import type { Cancel } from "@holdfast/protocol";
import type { ServerEnvironment } from "../environment.js";

/**
 * Calls `onExpired` for each item a fixed time after the item was added, unless the item was
 * deleted. All items have the same lifetime, so they expire in the order in which they were added,
 * and one timer is enough. An empty queue has no timer.
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

  /** The item that expires next. Undefined if the queue is empty. */
  get oldest(): Item | undefined {
    return this.#dueAt.keys().next().value;
  }

  /** Adds an item, or restarts the lifetime of an item that is already in the queue. */
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
   * Starts the timer for the oldest item. If that item is deleted or added again before the timer
   * fires, the timer finds no expired item and starts again.
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
