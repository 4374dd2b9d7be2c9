/** The callbacks for a rejection that nothing handles. */
export interface Watch {
  /** Called once for each unhandled rejection, with the reason. */
  ignored(reason: unknown): void;
  /**
   * Calls `run` after the current turn of the event loop, so that a caller has the whole turn to
   * attach a handler.
   */
  later(run: () => void): void;
}

interface Shared extends Watch {
  /**
   * True if a caller has attached a rejection handler to the promise, or to a promise that `then`
   * or `finally` made from it.
   */
  isHandled: boolean;
  reason?: unknown;
}

/**
 * The microtasks to wait before `later` is used. `await`, `Promise.all` and an async function that
 * returns the promise attach their handlers within fewer.
 */
const MICROTASKS = 6;

/**
 * A promise whose rejection never ends the process: if nothing handles the rejection within the
 * turn, `ignored` is called instead.
 *
 * A subclass is needed, because `await` and `Promise.all` call `then` only on promises whose
 * constructor is not `Promise` itself. There is no other way to see that a caller waits. If a
 * callback of the caller throws, that error stays an unhandled rejection.
 */
class WatchedPromise<Value> extends Promise<Value> {
  /**
   * `then` makes a plain promise, which callers cannot tell from the promise of an async function.
   */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  static from<Value>(work: Promise<Value>): WatchedPromise<Value> {
    return new WatchedPromise((resolve, reject) => void work.then(resolve, reject));
  }

  #shared: Shared | undefined;
  #isHeard = false;

  /** Starts to watch. Called on the promise that a call returns. */
  watch(shared: Shared): this {
    this.#shared = shared;
    super.then(undefined, async (reason: unknown) => {
      shared.reason = reason;
      // Most callers attach a handler within these microtasks, and then `later` need not be called.
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

  /** `finally` calls `then` with two functions, but does not handle the rejection. */
  override finally(run?: (() => void) | null): Promise<Value> {
    const isHandled = this.#shared?.isHandled;
    const next = super.finally(run);
    if (this.#shared) this.#shared.isHandled = isHandled!;
    return this.#passOn(next);
  }

  /**
   * Watches a promise that was made by `then` without a rejection handler, or by `finally`. Such a
   * promise rejects with the reason of the watched promise, unless a callback threw.
   */
  #passOn<Result>(next: Promise<Result>): Promise<Result> {
    const shared = this.#shared;
    // A library made this promise with the constructor of a watched promise.
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
 * Returns a watched promise with the outcome of `work`. In a page's production build `work` itself
 * is returned: an unhandled rejection does not end a page, and the console and the page's
 * monitoring show it.
 */
export function watched<Value>(work: Promise<Value>, { ignored, later }: Watch): Promise<Value> {
  return WatchedPromise.from(work).watch({ ignored, later, isHandled: false });
}
