import type { Cancel } from "@holdfast/protocol";
import type { ServerEnvironment } from "../environment.js";

/** One request while its handler runs. */
export class Call {
  #abort: AbortController | undefined;
  #cancelTimer: Cancel | undefined;
  #settled = false;

  /** Whether it has been answered. A handler that finishes later is not heard any more. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Made when a handler first asks for it: most never do. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#settled) this.#abort.abort();
    return this.#abort.signal;
  }

  startTimer(environment: ServerEnvironment, delayMs: number, onTimeout: () => void): void {
    this.#cancelTimer = environment.after(delayMs, onTimeout);
  }

  /** Marks it as answered; false if it was already. */
  settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#cancelTimer?.();
    return true;
  }

  /** Tells the handler that nobody waits for its result. */
  abort(reason: string): void {
    this.#abort?.abort(new Error(reason));
  }
}

/** The requests of one connection that are running, by correlation id. */
export class Calls {
  readonly #running = new Map<string, Call>();

  get size(): number {
    return this.#running.size;
  }

  has(id: string): boolean {
    return this.#running.has(id);
  }

  add(id: string, call: Call): void {
    this.#running.set(id, call);
  }

  get(id: string): Call | undefined {
    return this.#running.get(id);
  }

  remove(id: string): void {
    this.#running.delete(id);
  }

  /** The connection is gone: nobody waits any more. Returns how many were running. */
  abandon(): number {
    const calls = [...this.#running.values()];
    this.#running.clear();
    for (const call of calls) if (call.settle()) call.abort("The connection closed.");
    return calls.length;
  }
}
