import { HoldfastError } from "@holdfast/protocol";
import type { ServerEnvironment } from "../environment.js";

/** Attempts of one change before the conflict is reported. */
const MOST_TRIES = 5;
/**
 * Base of the random pause between two attempts. The longest pause is this time, or the duration of
 * the failed attempt if that is longer, doubled for each attempt so far, but never more than
 * `MOST_PAUSE_MS`.
 */
const PAUSE_MS = 8;
const MOST_PAUSE_MS = 1_000;
/**
 * After a conflict, this many changes are followed by a random gap of at most `GAP` times the
 * duration of the failed attempt.
 */
const WARY = 8;
const GAP = 2;

/** The changes of one document on this instance. */
interface ChangeLane {
  /** Resolves after the latest change and the gap after it. */
  last: Promise<unknown>;
  /** The number of changes that are still followed by a gap. */
  wary: number;
  /** How long the last failed attempt took. */
  tookMs: number;
  /** The number of changes that wait for earlier ones. */
  waiting: number;
  /**
   * Set while waiting changes are rejected without an attempt: the reason, and the number of
   * changes still to reject.
   */
  given: { readonly reason: unknown; left: number } | undefined;
}

/**
 * Queues the changes of each document on this instance. Instances compete: a change that was
 * computed from an old document fails and is computed again. If the winner went on at once, it
 * would win again and again, because its next change takes as long as the other instance's attempt.
 * So after a conflict, a random gap follows each of the next changes.
 */
export class DocumentQueue {
  readonly #environment: ServerEnvironment;
  readonly #lanes = new Map<string, ChangeLane>();

  constructor(environment: ServerEnvironment) {
    this.#environment = environment;
  }

  /**
   * Runs a change after the earlier changes. Resolves with the result of the change, before the
   * gap.
   */
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

  /** Rejects every queued change with this error instead of trying each. */
  giveUp(wire: string, reason: unknown): void {
    const lane = this.#lanes.get(wire);
    if (lane) lane.given = { reason, left: lane.waiting };
  }

  /**
   * Called after a conflict. Waits for a random pause before the next attempt.
   *
   * @throws HoldfastError DOCUMENT_CONFLICT after the last attempt
   */
  async overtaken(wire: string, tries: number, sinceMs: number): Promise<void> {
    const tookMs = Math.max(0, this.#environment.monotonic() - sinceMs);
    const lane = this.#lanes.get(wire);
    if (lane) Object.assign(lane, { wary: WARY, tookMs });
    if (tries === MOST_TRIES)
      throw new HoldfastError(
        "DOCUMENT_CONFLICT",
        `${wire}: the document was not changed: other changes were faster ${MOST_TRIES} times in a row.`,
        {
          field: "document",
          remedy: "Repeat the call, or let one instance make the changes of a busy document.",
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
