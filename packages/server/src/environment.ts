import type { Cancel } from "@holdfast/protocol";
import { randomFillSync } from "node:crypto";

/** The source of time and randomness. Tests pass an environment of their own and so decide both. */
export interface ServerEnvironment {
  /**
   * The wall clock, in milliseconds since 1970. The wall clock can be set back or forwards at any
   * time, so use it only for dates that are shown, stored, or compared with a given `expiresAt`.
   */
  now(): number;
  /**
   * Milliseconds since an arbitrary moment. Never goes back, so every duration is measured as the
   * difference of two readings.
   */
  monotonic(): number;
  /** Calls `run` once after a delay. Returns a function that cancels the timer. */
  after(delayMs: number, run: () => void): Cancel;
  /**
   * Like `after`, but the timer does not keep the process alive. The expiry of sessions is an
   * example.
   */
  afterIdle(delayMs: number, run: () => void): Cancel;
  /**
   * Calls `run` at an interval. The timer does not keep the process alive. Returns a function that
   * cancels the timer.
   */
  every(intervalMs: number, run: () => void): Cancel;
  /**
   * Calls `run` after all input of this turn of the event loop has been read. Messages that the
   * input caused are then sent together.
   */
  atEndOfTurn(run: () => void): void;
  /**
   * Calls `run` after the current callback of the event loop, before the next callback. Replies are
   * sent then.
   */
  soon(run: () => void): void;
  /** A random number from 0 up to but not including 1. For delays, not for secrets. */
  random(): number;
  /** 128 random bits as a string, safe in URLs and file names. */
  newId(): string;
}

const ID_BYTES = 16;
/**
 * Random bytes for the next ids. Getting many random bytes costs about as much as getting a few.
 */
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
 * Node fires a timer with a longer delay after 1 ms, and a timer that restarts itself would then
 * keep the processor busy.
 */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The real clock, timers and randomness of Node. */
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
    // A listening socket keeps the process alive. A timer should not.
    const timer = setInterval(run, Math.min(intervalMs, LONGEST_TIMER_MS)).unref();
    return () => clearInterval(timer);
  },
  atEndOfTurn: (run) => void setImmediate(run),
  soon: (run) => process.nextTick(run),
  random: Math.random,
  newId,
};

/**
 * Whether the application returned a promise. Promises of other libraries and realms are not
 * instances of this `Promise`.
 */
export function isThenable<Value>(answer: Value | PromiseLike<Value>): answer is PromiseLike<Value> {
  return typeof answer === "object" && answer !== null && "then" in answer && typeof answer.then === "function";
}

/**
 * Settles like `promised`, but rejects with `late` after `timeoutMs`. `whoAsks` receives a function
 * that ends the wait early: the promise then rejects at once and leaves no timer. `whoAsks` returns
 * a function that is called when the wait is over.
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
      reject(new Error("The result is no longer needed."));
    });
    void Promise.resolve(promised)
      .then(resolve, reject)
      .finally(() => {
        cancel();
        forget?.();
      });
  });
}
