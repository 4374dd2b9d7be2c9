import type { Cancel } from "@holdfast/protocol";
import { randomFillSync } from "node:crypto";

/** Time and chance, injected so that tests decide both. */
export interface ServerEnvironment {
  /**
   * The wall clock: milliseconds since 1970. It can be set back or forwards at any moment, so only
   * dates that are shown, stored or compared with a given `expiresAt` are read from it.
   */
  now(): number;
  /**
   * Milliseconds since an arbitrary moment, never set back. Every elapsed time is the difference of
   * two of these readings.
   */
  monotonic(): number;
  after(delayMs: number, run: () => void): Cancel;
  /**
   * The same, for what a process need not stay alive for: a session that nobody may come back to, a
   * list to be told.
   */
  afterIdle(delayMs: number, run: () => void): Cancel;
  every(intervalMs: number, run: () => void): Cancel;
  /**
   * When the events of this turn of the event loop have all been read: the moment to send what they
   * caused together.
   */
  atEndOfTurn(run: () => void): void;
  /**
   * When what is being read now has been handled, promises included: the moment to send replies.
   */
  soon(run: () => void): void;
  /** From 0, below 1. For delays, not for secrets. */
  random(): number;
  /** 128 random bits, in characters that are safe everywhere. */
  newId(): string;
}

const ID_BYTES = 16;
/** Random bytes for the next ids: to ask for many costs about as much as to ask for few. */
const pool = Buffer.alloc(256 * ID_BYTES);
let taken = pool.length;

function newId(): string {
  if (taken === pool.length) {
    randomFillSync(pool);
    taken = 0;
  }
  return pool.toString("base64url", taken, (taken += ID_BYTES));
}

/**
 * Node fires a timer with a longer delay after 1 ms, and a timer that sets itself again would keep
 * the processor busy.
 */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const nodeEnvironment: ServerEnvironment = {
  now: Date.now,
  monotonic: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(delayMs, LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
  afterIdle(delayMs, run) {
    const timer = setTimeout(run, Math.min(delayMs, LONGEST_TIMER_MS)).unref();
    return () => clearTimeout(timer);
  },
  every(intervalMs, run) {
    // What is worth staying alive for is a listening socket, not a clock.
    const timer = setInterval(run, Math.min(intervalMs, LONGEST_TIMER_MS)).unref();
    return () => clearInterval(timer);
  },
  atEndOfTurn: (run) => void setImmediate(run),
  soon: (run) => process.nextTick(run),
  random: Math.random,
  newId,
};

/**
 * Whether an answer of the application is still to come. Promises of other libraries and realms are
 * no `Promise` of ours.
 */
export function isThenable<Value>(answer: Value | PromiseLike<Value>): answer is PromiseLike<Value> {
  return typeof answer === "object" && answer !== null && "then" in answer && typeof answer.then === "function";
}

/**
 * What was promised, or a rejection with this sentence or error when it takes longer than it may.
 * `whoAsks` is handed the means to give it up: then it rejects at once, and leaves no timer.
 */
export function inTime<Value>(
  promised: PromiseLike<Value>,
  environment: ServerEnvironment,
  timeoutMs: number,
  late: string | (() => Error),
  whoAsks?: (giveUp: Cancel) => Cancel,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const cancel = environment.after(timeoutMs, () => {
      forget?.();
      reject(typeof late === "string" ? new Error(late) : late());
    });
    const forget = whoAsks?.(() => {
      cancel();
      reject(new Error("Nobody waits for it any more."));
    });
    void Promise.resolve(promised)
      .then(resolve, reject)
      .finally(() => {
        cancel();
        forget?.();
      });
  });
}
