/**
 * The server's time, as this page reckons it: the clock of a computer may be minutes off, and everyone is to see the same time
 * left. Asked for whenever the connection is ready, since the instance may be another one.
 */
export class ServerClock {
  readonly #now: () => number;
  #ahead = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Milliseconds since 1970. */
  get now(): number {
    return this.#now() + this.#ahead;
  }

  /** `ask` brings what the server's clock says; taken as said half way between question and answer. */
  async set(ask: () => Promise<Date>): Promise<void> {
    const asked = this.#now();
    const said = await ask();
    this.#ahead = said.getTime() - (asked + this.#now()) / 2;
  }
}
