/**
 * If the difference between a computer's two clocks moves by more than this, one of the clocks was
 * set or has stopped.
 */
const MOVED_MS = 250;

export interface Clocks {
  /** Milliseconds since 1970 by the computer's clock, which jumps if the clock is set. */
  readonly date: () => number;
  /**
   * Milliseconds since an arbitrary time, possibly without the time in which the computer slept.
   */
  readonly steady: () => number;
}

/**
 * The server's time as computed by this page. A computer's clock may be wrong by minutes, and all
 * watchers must see the same remaining time. The page asks the server for the time whenever the
 * connection becomes ready, because the page may be connected to another instance. The page asks
 * again if the computer's two clocks disagree about the elapsed time: then the date was set, or the
 * computer has slept.
 */
export class ServerClock {
  readonly #clocks: Clocks;
  readonly #ask: () => Promise<Date>;
  /**
   * The server's time minus the steady clock. Before the first answer, the computer's date minus
   * the steady clock.
   */
  #ahead: number;
  /** The computer's date minus its steady clock at the last answer. */
  #gap: number | undefined;
  #asking: object | undefined;

  /**
   * `ask` returns the server's time. The clock assumes that the server read its time half way
   * between question and answer.
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

  /** Call this function regularly while the page is connected. */
  check(): void {
    if (this.#asking) return;
    if (this.#gap === undefined || Math.abs(this.#gapNow - this.#gap) > MOVED_MS) void this.measure();
  }

  /**
   * Asks the server, even if an earlier question is in flight. If the connection is lost, the
   * answer to the earlier question arrives on the next connection and would count the outage as
   * travel time. Never rejects. After a failure, the time continues as before and `check` asks
   * again.
   */
  async measure(): Promise<void> {
    const asking = (this.#asking = {});
    // The gap is read before the question. If a clock changes meanwhile, the answer is wrong, and
    // the next check notices the change.
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
