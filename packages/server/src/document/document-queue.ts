import { HoldfastError } from "@holdfast/protocol";
import type { ServerEnvironment } from "../environment.js";

const MOST_TRIES = 5;
/**
 * Between two tries, at most so long, or as long as a try takes here, times two for each try
 * before.
 */
const PAUSE_MS = 8;
const MOST_PAUSE_MS = 1_000;
/**
 * After a try in vain so many changes leave a gap behind them, of at most so many times what that
 * try has taken.
 */
const WARY = 8;
const GAP = 2;

/** The changes of one document that are under way here. */
interface ChangeLane {
  /** The last of them, and the gap behind it. */
  last: Promise<unknown>;
  /** How many changes are still to leave a gap. */
  wary: number;
  /** How long the last try in vain has taken. */
  tookMs: number;
  /** How many changes wait for those before them. */
  waiting: number;
  /** Why the first of those that wait are not tried, and how many they are. */
  given: { readonly reason: unknown; left: number } | undefined;
}

/**
 * Changes of one document by one instance queue; instances compete. Whoever has just won and goes
 * on at once is in the way of each try of the others, which takes as long as its own next change:
 * so where there is competition, winners leave gaps.
 */
export class DocumentQueue {
  readonly #environment: ServerEnvironment;
  readonly #lanes = new Map<string, ChangeLane>();

  constructor(environment: ServerEnvironment) {
    this.#environment = environment;
  }

  /** Runs it behind those that are under way. Resolves with what it does, before the gap. */
  run<Result>(wire: string, change: () => Promise<Result>): Promise<Result> {
    const before = this.#lanes.get(wire);
    const lane: ChangeLane = before ?? { last: Promise.resolve(), wary: 0, tookMs: 0, waiting: 0, given: undefined };
    this.#lanes.set(wire, lane);
    const running = before ? this.#wait(lane, change) : change();
    const last = running.then(
      () => this.#gap(lane),
      () => this.#gap(lane),
    );
    lane.last = last;
    void last.then(() => void (lane.last === last && this.#lanes.delete(wire)));
    return running;
  }

  /**
   * What all of them need cannot be had: those that wait now are told so with the one that has
   * tried, and not tried themselves.
   */
  giveUp(wire: string, reason: unknown): void {
    const lane = this.#lanes.get(wire);
    if (lane) lane.given = { reason, left: lane.waiting };
  }

  /**
   * Others were first: waits until it may be worth another try.
   *
   * @throws HoldfastError DOCUMENT_CONFLICT when it was tried often enough
   */
  async overtaken(wire: string, tries: number, sinceMs: number): Promise<void> {
    const tookMs = Math.max(0, this.#environment.monotonic() - sinceMs);
    const lane = this.#lanes.get(wire);
    if (lane) Object.assign(lane, { wary: WARY, tookMs });
    if (tries === MOST_TRIES)
      throw new HoldfastError(
        "DOCUMENT_CONFLICT",
        `${wire}: others changed the document ${MOST_TRIES} times in between.`,
        {
          field: "document",
        },
      );
    await this.#pause(Math.max(PAUSE_MS, tookMs) * 2 ** tries);
  }

  async #wait<Result>(lane: ChangeLane, change: () => Promise<Result>): Promise<Result> {
    lane.waiting++;
    await lane.last;
    lane.waiting--;
    if (!lane.given || lane.given.left-- === 0) {
      lane.given = undefined;
      return change();
    }
    throw lane.given.reason;
  }

  #gap(lane: ChangeLane): Promise<void> | undefined {
    if (lane.wary === 0) return undefined;
    lane.wary--;
    return this.#pause(Math.max(1, lane.tookMs) * GAP);
  }

  #pause(mostMs: number): Promise<void> {
    const { random, after } = this.#environment;
    const ms = random() * Math.min(mostMs, MOST_PAUSE_MS);
    return new Promise((resolve) => void after(ms, resolve));
  }
}
