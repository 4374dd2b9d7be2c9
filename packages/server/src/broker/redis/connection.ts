import type { Cancel } from "@holdfast/protocol";
import type { Redis } from "ioredis";
import type { ServerEnvironment } from "../../environment.js";
import { endNow } from "./ending.js";
import { unavailable } from "./unavailable.js";

export interface ConnectionHooks {
  /**
   * A client that is not connected yet and will not reconnect by itself; undefined when there is
   * nowhere to connect to.
   */
  open(): Redis | undefined;
  /**
   * What has to be done before it counts as there. A rejection is a lost connection. `goesOn`
   * starts its time anew.
   */
  prepare(client: Redis, goesOn: () => void): Promise<void>;
  onUp(): void;
  /** Also for an attempt that failed; `wasUp` tells. */
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

const CONNECT_LIMIT_MS = 1_500;
/** Doubles with each attempt. At its cap everything is back well within 5 s of Redis. */
const FIRST_DELAY_MS = 50;
const LAST_DELAY_MS = 1_000;
/** Who was up for less has not proved anything, and goes on with longer delays. */
const STABLE_MS = 2_000;
/**
 * How long a call waits for a connection that was lost this moment, or is made for the first time;
 * later ones fail at once.
 */
const PATIENCE_MS = 300;
const FIRST_PATIENCE_MS = 800;
/** Calls that may wait so. They hold what they want to say. */
const MOST_WAITERS = 1_000;

/**
 * One connection to one node that is there for as long as it can be. Each attempt is a new client
 * of the library with everything it does by itself switched off: what it would send again, queue or
 * subscribe to after a reconnection nobody here would know of.
 */
export class NodeConnection {
  readonly #environment: ServerEnvironment;
  readonly #hooks: ConnectionHooks;
  #state: NodeState = { name: "closed" };
  #attempts = 0;
  #waiters: Waiter[] = [];
  #endPatience: Cancel | undefined;
  #whyDown = "It is being connected to";

  constructor(environment: ServerEnvironment, hooks: ConnectionHooks) {
    this.#environment = environment;
    this.#hooks = hooks;
  }

  /** The client while it is up. */
  get client(): Redis | undefined {
    return this.#state.name === "up" ? this.#state.client : undefined;
  }

  start(): void {
    if (this.#state.name !== "closed") return;
    this.#beginPatience(FIRST_PATIENCE_MS);
    this.#connect();
  }

  /**
   * The client, soon or not at all: while it is down for longer, nobody has to wait to hear that.
   */
  whenUp(): Promise<Redis> {
    if (this.#state.name === "up") return Promise.resolve(this.#state.client);
    if (this.#state.name === "closed" || !this.#endPatience || this.#waiters.length >= MOST_WAITERS)
      return Promise.reject(this.#isDown());
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /**
   * It does not do what it should: the next one will. Ignored when `client` is no longer the one.
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
    this.#whyDown = "The link is closed";
    if (before.name === "waiting" || before.name === "connecting") before.cancel();
    if (before.name === "connecting" || before.name === "up") discard(before.client);
    this.#giveUpWaiting();
  }

  #connect(): void {
    const client = this.#hooks.open();
    if (!client) return this.#wait("There is no node to connect to");
    const giveUp = (): void => this.#lost("It does not answer");
    const state: NodeState = {
      name: "connecting",
      client,
      cancel: this.#environment.after(CONNECT_LIMIT_MS, giveUp),
    };
    this.#state = state;
    const isCurrent = (): boolean => "client" in this.#state && this.#state.client === client;
    let why = "It closed the connection";
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
    // After the state has changed: what was under way is rejected now, and whoever repeats it meets
    // the new state.
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
      "Try again later; the connection is being made again.",
    );
  }
}

function discard(client: Redis): void {
  client.removeAllListeners();
  // The library writes errors that nobody listens to on the console.
  client.on("error", () => {});
  endNow(client);
}

/** From 0 to 1. The environment has no other chance than ids. */
export function chance(environment: ServerEnvironment): number {
  let mixed = 0;
  for (const unit of environment.newId()) mixed = (Math.imul(mixed, 31) + unit.charCodeAt(0)) | 0;
  return (mixed >>> 0) / 2 ** 32;
}
