import type { Cancel, ServerMessage } from "@holdfast/protocol";
import type { ServerEnvironment } from "../environment.js";
import type { Frame } from "../transport/frame.js";

/** The part of a connection that a call uses. */
export interface Caller {
  /** Sends a message. */
  send(message: ServerMessage): void;
  /** Sends an answer that is already encoded. */
  reply(frame: Frame): void;
  /** The running calls of the connection. */
  readonly calls: Calls;
}

/**
 * One request of a connection. A request is answered at most once:
 *
 *   received ──start──▶ running ──answer──▶ settled
 *      └──refuse──▶ (never runs)  └──connection closed──▶ settled, without an answer
 */
export class Call {
  /**
   * The correlation id, which links the answer to the request. Unique among the running calls of a
   * connection.
   */
  readonly id: string;
  readonly #caller: Caller;
  #abort: AbortController | undefined;
  #cancelTimer: Cancel | undefined;
  #settled = false;

  constructor(caller: Caller, id: string) {
    this.#caller = caller;
    this.id = id;
  }

  /**
   * True if the call is answered or its connection has closed. A result that the handler returns
   * later is dropped.
   */
  get settled(): boolean {
    return this.#settled;
  }

  /**
   * The signal is created when a handler first reads this property, because most handlers never do.
   */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#settled) this.#abort.abort();
    return this.#abort.signal;
  }

  /**
   * From now on the call counts as running. The client can cancel it, and closing the connection
   * abandons it.
   */
  start(environment: ServerEnvironment, timeoutMs: number, onTimeout: () => void): void {
    this.#caller.calls.add(this);
    this.#cancelTimer = environment.after(timeoutMs, onTimeout);
  }

  /** Answers a call that was not started. */
  refuse(answer: ServerMessage): void {
    this.#caller.send(answer);
  }

  /**
   * Sends the answer. Returns false if sending has closed the connection, because the connection
   * has then settled the call.
   */
  answer(frame: Frame): boolean {
    this.#caller.reply(frame);
    if (!this.settle()) return false;
    this.#caller.calls.remove(this.id);
    return true;
  }

  /** Marks the call as settled. Returns false if the call was settled before. */
  settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#cancelTimer?.();
    return true;
  }

  /** Tells the handler that the result is no longer needed. */
  abort(reason: string): void {
    this.#abort?.abort(new Error(reason));
  }
}

/** The running requests of one connection, by correlation id. */
export class Calls {
  readonly #running = new Map<string, Call>();

  get size(): number {
    return this.#running.size;
  }

  has(id: string): boolean {
    return this.#running.has(id);
  }

  add(call: Call): void {
    this.#running.set(call.id, call);
  }

  get(id: string): Call | undefined {
    return this.#running.get(id);
  }

  remove(id: string): void {
    this.#running.delete(id);
  }

  /**
   * The connection has closed: settles and aborts every running call without an answer. Returns the
   * number of these calls.
   */
  abandon(): number {
    const calls = [...this.#running.values()];
    this.#running.clear();
    for (const call of calls) if (call.settle()) call.abort("The connection closed.");
    return calls.length;
  }
}
