/** What becomes of a rejection that nothing handles. */
export interface Watch {
  /** Called once, with the reason of the rejection. */
  ignored(reason: unknown): void;
  /**
   * Calls `run` after the current turn. A caller that attaches a handler within the turn is in
   * time.
   */
  later(run: () => void): void;
}

interface Shared extends Watch {
  /**
   * Whether a caller has attached a rejection handler, to the promise or to one that `then` or
   * `finally` made of it.
   */
  isHandled: boolean;
  reason?: unknown;
}

/**
 * `await`, `Promise.all` and an async function that returns the promise attach their handlers
 * within fewer.
 */
const MICROTASKS = 6;

/**
 * A promise whose rejection never ends the process: if nothing handles it within the turn,
 * `ignored` is told instead.
 *
 * A subclass, because `await` and `Promise.all` call `then` only on promises whose constructor is
 * not `Promise` itself: there is no other way to see that a caller waits. What a callback of the
 * caller throws is the caller's: it stays an unhandled rejection.
 */
class WatchedPromise<Value> extends Promise<Value> {
  /**
   * What `then` makes is a plain promise, which no caller can tell from that of an async function.
   */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  static from<Value>(work: Promise<Value>): WatchedPromise<Value> {
    return new WatchedPromise((resolve, reject) => void work.then(resolve, reject));
  }

  #shared: Shared | undefined;
  #isHeard = false;

  /** The promise that a call returns. */
  watch(shared: Shared): this {
    this.#shared = shared;
    super.then(undefined, async (reason: unknown) => {
      shared.reason = reason;
      // Most callers attach within these, and then `later` need not start anything.
      for (let left = MICROTASKS; left > 0 && !shared.isHandled; left--) await undefined;
      if (shared.isHandled) return;
      shared.later(() => {
        if (!shared.isHandled) shared.ignored(reason);
      });
    });
    return this;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it is a promise already
  override then<Result1 = Value, Result2 = never>(
    done?: ((value: Value) => Result1 | PromiseLike<Result1>) | null,
    failed?: ((reason: unknown) => Result2 | PromiseLike<Result2>) | null,
  ): Promise<Result1 | Result2> {
    this.#isHeard = true;
    // oxlint-disable-next-line promise/no-callback-in-promise -- they are what `then` is given
    const next = super.then(done, failed);
    if (typeof failed !== "function") return this.#passOn(next);
    if (this.#shared) this.#shared.isHandled = true;
    return next;
  }

  /** Handles nothing, though it calls `then` with two functions. */
  override finally(run?: (() => void) | null): Promise<Value> {
    const isHandled = this.#shared?.isHandled;
    const next = super.finally(run);
    if (this.#shared) this.#shared.isHandled = isHandled!;
    return this.#passOn(next);
  }

  /**
   * Made by `then` without a rejection handler, or by `finally`: it rejects for the same reason,
   * unless a callback threw.
   */
  #passOn<Result>(next: Promise<Result>): Promise<Result> {
    const shared = this.#shared;
    // Made by a library with the constructor of a promise that it was given.
    if (!shared) return next;
    const passed = WatchedPromise.from(next);
    passed.#shared = shared;
    passed.#watchCallback(shared);
    return passed;
  }

  #watchCallback(shared: Shared): void {
    super.then(undefined, (reason: unknown) => {
      if ("reason" in shared && reason === shared.reason) return;
      shared.later(() => {
        if (!this.#isHeard) void Promise.reject(reason);
      });
    });
  }
}

/**
 * The same outcome, watched. In a page's production build it is the promise itself: there an
 * unhandled rejection ends nothing, and the console and the page's own monitoring show it.
 */
export function watched<Value>(work: Promise<Value>, { ignored, later }: Watch): Promise<Value> {
  return WatchedPromise.from(work).watch({ ignored, later, isHandled: false });
}
