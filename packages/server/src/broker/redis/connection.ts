import type { Cancel } from "@holdfast/protocol";
import type { Redis } from "ioredis";
import type { ServerEnvironment } from "../../environment.js";
import { endNow } from "./ending.js";
import { unavailable } from "./unavailable.js";

export interface ConnectionHooks {
  /**
   * Creates a client that is not connected yet and never reconnects by itself. Returns undefined if
   * the node is not known.
   */
  open(): Redis | undefined;
  /**
   * Prepares the connected client before the state becomes `up`. If the promise rejects, the
   * connection counts as lost. Each call of `goesOn` restarts the time limit.
   */
  prepare(client: Redis, goesOn: () => void): Promise<void>;
  onUp(): void;
  /**
   * Called when a connection is lost (`wasUp` is true), and when an attempt fails (`wasUp` is
   * false).
   */
  onDown(reason: string, wasUp: boolean): void;
}

/**
 *      ┌──────────── lost, dropped ─────────────┐
 *      ▼                                        │
 *   waiting ──delay over──▶ connecting ──prepared──▶ up
 *      ▲                        │
 *      └──── refused, late ─────┘            closed: from anywhere
 */
type NodeState =
  | { readonly name: "waiting"; readonly cancel: Cancel }
  | { readonly name: "connecting"; readonly client: Redis; cancel: Cancel }
  | { readonly name: "up"; readonly client: Redis; readonly since: number }
  | { readonly name: "closed" };

interface Waiter {
  resolve(client: Redis): void;
  reject(error: Error): void;
}

/** How long an attempt may take to connect and prepare, before it counts as failed. */
const CONNECT_LIMIT_MS = 1_500;
/**
 * Delay before the next attempt, doubled with each attempt up to the cap. The cap is low enough
 * that all connections are up within 5 s after Redis is back.
 */
const FIRST_DELAY_MS = 50;
const LAST_DELAY_MS = 1_000;
/** A connection must stay up this long before the delays start again from the first. */
const STABLE_MS = 2_000;
/**
 * How long calls wait after the connection is lost, or is made for the first time. Calls that are
 * made later fail at once.
 */
const PATIENCE_MS = 300;
const FIRST_PATIENCE_MS = 800;
/** The most calls that may wait. Waiting calls hold their arguments in memory. */
const MOST_WAITERS = 1_000;

/**
 * Keeps one connection to one node of Redis, and reconnects after each loss. Each attempt uses a
 * new ioredis client whose own retries, offline queue and resubscriptions are switched off: the
 * broker would not know which commands ioredis had sent again.
 */
export class NodeConnection {
  readonly #environment: ServerEnvironment;
  readonly #hooks: ConnectionHooks;
  #state: NodeState = { name: "closed" };
  #attempts = 0;
  #waiters: Waiter[] = [];
  #endPatience: Cancel | undefined;
  #whyDown = "The connection is being made";

  constructor(environment: ServerEnvironment, hooks: ConnectionHooks) {
    this.#environment = environment;
    this.#hooks = hooks;
  }

  /** The client, if the connection is up. */
  get client(): Redis | undefined {
    return this.#state.name === "up" ? this.#state.client : undefined;
  }

  start(): void {
    if (this.#state.name !== "closed") return;
    this.#beginPatience(FIRST_PATIENCE_MS);
    this.#connect();
  }

  /**
   * Resolves with the client when the connection is up. Rejects if the connection stays down for
   * `PATIENCE_MS` (`FIRST_PATIENCE_MS` after the start). Rejects at once if that time is over, too
   * many calls wait, or the connection is closed.
   */
  whenUp(): Promise<Redis> {
    if (this.#state.name === "up") return Promise.resolve(this.#state.client);
    if (this.#state.name === "closed" || !this.#endPatience || this.#waiters.length >= MOST_WAITERS)
      return Promise.reject(this.#isDown());
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /**
   * Drops a connection that does not work and starts to reconnect. Ignored if `client` is given and
   * is no longer the current client.
   */
  drop(reason: string, client?: Redis): void {
    const state = this.#state;
    if (state.name !== "up" && state.name !== "connecting") return;
    if (client && state.client !== client) return;
    this.#lost(reason);
  }

  close(): void {
    const before = this.#state;
    this.#state = { name: "closed" };
    this.#whyDown = "The broker is closed";
    if (before.name === "waiting" || before.name === "connecting") before.cancel();
    if (before.name === "connecting" || before.name === "up") discard(before.client);
    this.#giveUpWaiting();
  }

  #connect(): void {
    const client = this.#hooks.open();
    if (!client) return this.#wait("No node of the cluster is known");
    const giveUp = (): void => this.#lost("Redis does not answer");
    const state: NodeState = {
      name: "connecting",
      client,
      cancel: this.#environment.after(CONNECT_LIMIT_MS, giveUp),
    };
    this.#state = state;
    const isCurrent = (): boolean => "client" in this.#state && this.#state.client === client;
    let why = "Redis closed the connection";
    client.on("error", (error: Error) => (why = error.message || why));
    client.once("end", () => isCurrent() && this.#lost(why));
    const goesOn = (): void => {
      if (this.#state !== state) return;
      state.cancel();
      state.cancel = this.#environment.after(CONNECT_LIMIT_MS, giveUp);
    };
    client
      .connect()
      .then(() => this.#hooks.prepare(client, goesOn))
      .then(
        () => {
          if (this.#state === state) this.#up(state);
        },
        (error: unknown) => {
          if (isCurrent()) this.#lost(error instanceof Error ? error.message : why);
        },
      );
  }

  #up(state: NodeState & { name: "connecting" }): void {
    state.cancel();
    this.#state = { name: "up", client: state.client, since: this.#environment.monotonic() };
    this.#endPatience?.();
    this.#endPatience = undefined;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.resolve(state.client);
    this.#hooks.onUp();
  }

  #lost(reason: string): void {
    const before = this.#state;
    if (before.name !== "connecting" && before.name !== "up") return;
    const wasUp = before.name === "up";
    if (before.name === "connecting") before.cancel();
    else if (this.#environment.monotonic() - before.since >= STABLE_MS) this.#attempts = 0;
    this.#wait(reason);
    if (wasUp) this.#beginPatience(PATIENCE_MS);
    // After the state has changed, because `discard` rejects the pending commands, and a caller
    // that retries at once must see the new state.
    discard(before.client);
    this.#hooks.onDown(reason, wasUp);
  }

  #wait(reason: string): void {
    this.#whyDown = reason;
    const longest = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(this.#attempts++, 10));
    const delayMs = longest * (0.5 + chance(this.#environment) / 2);
    this.#state = { name: "waiting", cancel: this.#environment.after(delayMs, () => this.#connect()) };
  }

  #beginPatience(patienceMs: number): void {
    this.#endPatience?.();
    this.#endPatience = this.#environment.after(patienceMs, () => {
      this.#endPatience = undefined;
      this.#giveUpWaiting();
    });
  }

  #giveUpWaiting(): void {
    this.#endPatience?.();
    this.#endPatience = undefined;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(this.#isDown());
  }

  #isDown(): Error {
    return unavailable(
      `Redis cannot be reached (${this.#whyDown.replace(/\.$/, "")}). Nothing was stored.`,
      "Check that Redis is running, and try again. The broker reconnects by itself.",
    );
  }
}

function discard(client: Redis): void {
  client.removeAllListeners();
  // Without a listener, ioredis writes errors to the console.
  client.on("error", () => {});
  endNow(client);
}

/** A random number from 0 to 1, derived from a random id of the environment. */
export function chance(environment: ServerEnvironment): number {
  let mixed = 0;
  for (const unit of environment.newId()) mixed = (Math.imul(mixed, 31) + unit.charCodeAt(0)) | 0;
  return (mixed >>> 0) / 2 ** 32;
}
