import type { ServerEnvironment } from "@holdfast/server";
import { seededRandom } from "./seeded-random.js";

interface Timer {
  at: number;
  readonly order: number;
  readonly run: () => void;
  readonly everyMs?: number;
}

/**
 * Virtual time for servers and clients: timers run when the test advances the clock, and turns end
 * on demand. The wall clock follows the monotonic clock and can be set.
 */
export class VirtualEnvironment implements ServerEnvironment {
  #now = 0;
  #wallAhead = 1_800_000_000_000;
  #ids = 0;
  #timers: Timer[] = [];
  #order = 0;
  #turn: (() => void)[] = [];

  now = (): number => this.#now + this.#wallAhead;
  monotonic = (): number => this.#now;
  /** Moves the wall clock by this many milliseconds, backwards if negative. No time passes. */
  setWallClock = (byMs: number): void => void (this.#wallAhead += byMs);
  /** The clock in the shape that a client takes. */
  get clock() {
    return { now: this.now, monotonic: this.monotonic, after: this.after };
  }
  readonly #random = seededRandom(1);
  random = (): number => this.#random();
  /** The first id, id-0, belongs to the server. */
  newId = (): string => `id-${this.#ids++}`;
  after = (delayMs: number, run: () => void) => this.#start({ at: this.#now + delayMs, order: this.#order++, run });
  afterIdle = (delayMs: number, run: () => void) => this.after(delayMs, run);
  every = (intervalMs: number, run: () => void) =>
    this.#start({ at: this.#now + intervalMs, order: this.#order++, run, everyMs: intervalMs });
  soon = (run: () => void): void => void this.#turn.push(run);
  atEndOfTurn = (run: () => void): void => void this.#turn.push(run);

  /** The number of running timers. Must be 0 after everything is closed. */
  get timers(): number {
    return this.#timers.length;
  }

  /**
   * The same time for one server process, with a wall clock of its own. After `kill`, nothing that
   * the process started runs any more.
   */
  process(): ServerEnvironment & { kill(): void; setWallClock(byMs: number): void } {
    const started = new Set<() => void>();
    let isDead = false;
    let wallAhead = 0;
    const keep = (cancel: () => void): (() => void) => {
      started.add(cancel);
      return () => {
        started.delete(cancel);
        cancel();
      };
    };
    const after = (delayMs: number, run: () => void): (() => void) => {
      if (isDead) return () => {};
      const cancel = keep(
        this.after(delayMs, () => {
          cancel();
          run();
        }),
      );
      return cancel;
    };
    const alive = (run: () => void) => (): void => void (isDead || run());
    return {
      now: () => this.now() + wallAhead,
      setWallClock: (byMs) => void (wallAhead += byMs),
      monotonic: this.monotonic,
      random: this.random,
      newId: this.newId,
      after,
      afterIdle: after,
      every: (intervalMs, run) => (isDead ? () => {} : keep(this.every(intervalMs, run))),
      soon: (run) => this.soon(alive(run)),
      atEndOfTurn: (run) => this.atEndOfTurn(alive(run)),
      kill() {
        isDead = true;
        for (const cancel of started) cancel();
        started.clear();
      },
    };
  }

  endTurn(): boolean {
    const due = this.#turn;
    this.#turn = [];
    for (const run of due) run();
    return due.length > 0;
  }

  /** Runs the next timer that is due by `until`. Returns false if there is none. */
  runNext(until: number): boolean {
    let next: Timer | undefined;
    for (const timer of this.#timers)
      if (timer.at <= until && (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order)))
        next = timer;
    if (!next) {
      this.#now = Math.max(this.#now, until);
      return false;
    }
    this.#now = Math.max(this.#now, next.at);
    if (next.everyMs === undefined) this.#timers.splice(this.#timers.indexOf(next), 1);
    else next.at += next.everyMs;
    next.run();
    return true;
  }

  /** Advances time and runs the timers that are due, but no promises. */
  pass(ms: number): void {
    const until = this.#now + ms;
    while (this.runNext(until)) continue;
  }

  #start(timer: Timer): () => void {
    this.#timers.push(timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }
}

/** Advances time without a server harness. Promises run between the timers. */
export async function advance(environment: VirtualEnvironment, ms: number): Promise<void> {
  const until = environment.monotonic() + ms;
  do await new Promise<void>((resolve) => void setImmediate(resolve));
  while (environment.runNext(until));
}
