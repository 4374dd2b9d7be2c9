import { isHoldfastError } from "@holdfast/server";

/** Publishes one fact. `idempotencyKey` makes it safe to call again: see `publish` of a channel. */
export type Publication = (options: { idempotencyKey: string }) => Promise<unknown>;

/**
 * What waits beyond this is left out, but for what changes the fleet. Nobody needs an hour of lines
 * told late.
 */
const MOST_WAITING = 1_000;
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 2_000;
/** How long the end of the server waits for what has not been published. */
const FLUSH_MS = 2_000;

/**
 * Publishes one after the other, and again what was refused. With one process nothing ever is. With
 * Redis `publish` rejects with UNAVAILABLE while it is away, and nobody else remembers what should
 * have been said: the channel's history has only what was stored. Repeated with the same key it
 * counts once, even if the refused attempt was stored after all.
 */
export class Publisher {
  readonly #waiting: { readonly key: string; readonly publish: Publication }[] = [];
  readonly #onEmpty: (() => void)[] = [];
  #running = false;
  #pause: { readonly end: () => void } | undefined;
  #isClosed = false;

  /** `key` names the fact, and no other. */
  push(key: string, publish: Publication, { mayBeLeftOut = false } = {}): void {
    if (this.#isClosed || (mayBeLeftOut && this.#waiting.length >= MOST_WAITING)) return;
    this.#waiting.push({ key, publish });
    void this.#run();
  }

  /** Resolves when all is published, or cannot be in time; nothing is published after that. */
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
        // A mistake of ours, which no repetition mends. What waits behind it is not to blame.
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
