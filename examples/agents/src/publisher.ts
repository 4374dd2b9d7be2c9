import { isHoldfastError } from "@holdfast/server";

/** Publishes one fact. `idempotencyKey` makes a repeated call safe: see `publish` of a channel. */
export type Publication = (options: { idempotencyKey: string }) => Promise<unknown>;

/**
 * If this many publications wait, new lines are dropped, because lines that arrive an hour late are
 * useless. Changes of the fleet are still queued.
 */
const MOST_WAITING = 1_000;
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 2_000;
/** How long a shutdown waits for pending publications. */
const FLUSH_MS = 2_000;

/**
 * Publishes one fact after another, and retries refused publications. In a single process no
 * publication is refused. On Redis, `publish` rejects with UNAVAILABLE while Redis is unreachable,
 * and this class retries the publication. Because the key stays the same, a retried publication
 * counts once, even if Redis has stored the refused attempt.
 */
export class Publisher {
  readonly #waiting: { readonly key: string; readonly publish: Publication }[] = [];
  readonly #onEmpty: (() => void)[] = [];
  #running = false;
  #pause: { readonly end: () => void } | undefined;
  #isClosed = false;

  /** `key` identifies this fact. */
  push(key: string, publish: Publication, { mayBeLeftOut = false } = {}): void {
    if (this.#isClosed || (mayBeLeftOut && this.#waiting.length >= MOST_WAITING)) return;
    this.#waiting.push({ key, publish });
    void this.#run();
  }

  /** Resolves when everything is published, or after 2 s. Nothing is published after that. */
  async close(): Promise<void> {
    if (this.#running) {
      await new Promise<void>((resolve) => {
        const limit = setTimeout(resolve, FLUSH_MS);
        this.#onEmpty.push(() => {
          clearTimeout(limit);
          resolve();
        });
      });
    }
    this.#isClosed = true;
    this.#pause?.end();
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    let pauseMs = FIRST_PAUSE_MS;
    for (let first = this.#waiting[0]; first && !this.#isClosed; first = this.#waiting[0]) {
      try {
        await first.publish({ idempotencyKey: first.key });
      } catch (error) {
        if (isHoldfastError(error) && error.code === "UNAVAILABLE") {
          await this.#rest(pauseMs);
          pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS);
          continue;
        }
        // Any other error is a bug of the example, which a retry would repeat. Later publications
        // continue.
        console.error(error);
      }
      this.#waiting.shift();
      pauseMs = FIRST_PAUSE_MS;
    }
    this.#running = false;
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#pause = undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#pause = { end };
    });
  }
}
