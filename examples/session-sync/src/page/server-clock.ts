/**
 * By so much the difference between a computer's two clocks may move before something has happened
 * to one of them.
 */
const MOVED_MS = 250;

export interface Clocks {
  /** Milliseconds since 1970, as the computer has them: they jump when its clock is set. */
  readonly date: () => number;
  /** Milliseconds that pass, of which some may be missing when the computer has slept. */
  readonly steady: () => number;
}

/**
 * The server's time, as this page reckons it: the clock of a computer may be minutes off, and
 * everyone is to see the same time left. Asked for whenever the connection is ready, since the
 * instance may be another one, and whenever the computer's two clocks no longer agree on what has
 * passed: one was set, or the other one has slept.
 */
export class ServerClock {
  readonly #clocks: Clocks;
  readonly #ask: () => Promise<Date>;
  /** Of the server's time to the steady clock; at first the computer's own is all there is. */
  #ahead: number;
  /** Of the computer's date to its steady clock when the server was last asked and answered. */
  #gap: number | undefined;
  #asking: object | undefined;

  /**
   * `ask` brings what the server's clock says; taken as said half way between question and answer.
   */
  constructor(clocks: Clocks, ask: () => Promise<Date>) {
    this.#clocks = clocks;
    this.#ask = ask;
    this.#ahead = this.#gapNow;
  }

  /** Milliseconds since 1970. */
  get now(): number {
    return this.#clocks.steady() + this.#ahead;
  }

  get #gapNow(): number {
    return this.#clocks.date() - this.#clocks.steady();
  }

  /** To be called every so often while there is a connection. */
  check(): void {
    if (this.#asking) return;
    if (this.#gap === undefined || Math.abs(this.#gapNow - this.#gap) > MOVED_MS) void this.measure();
  }

  /**
   * Asks, whatever was asked before: what is under way when a connection is lost is answered on the
   * next one, and would count the time between. Never fails: until it succeeds the time goes on as
   * it was, and `check` asks again.
   */
  async measure(): Promise<void> {
    const asking = (this.#asking = {});
    // Of before it, so that what happens meanwhile, which makes it wrong, is noticed by the next
    // check.
    const gap = this.#gapNow;
    this.#gap = undefined;
    const asked = this.#clocks.steady();
    const said = await this.#ask().catch(() => undefined);
    if (this.#asking !== asking) return;
    this.#asking = undefined;
    if (!said) return;
    this.#ahead = said.getTime() - (asked + this.#clocks.steady()) / 2;
    this.#gap = gap;
  }
}
