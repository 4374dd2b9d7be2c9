import type { Cancel, Environment } from "../environment.js";
import { Frame } from "../transport/frame.js";

/** What the heartbeat needs of a connection. */
export interface Beating {
  /** When something was last heard from it, in the heartbeat's own clock. */
  lastHeardAt: number;
  /** When it was last pinged without anything heard since; 0 when nothing is owed. */
  pingedAt: number;
  /** When its credential ends; Infinity when it does not. */
  readonly expiresAt: number;
  /** When its successor is to be asked for; Infinity when there is nothing to ask for. */
  readonly renewAt: number;
  deliver(frame: Frame): void;
  heartbeatMissed(): void;
  askForCredential(): void;
  credentialExpired(): void;
}

/** A token that has just run out may have its successor under way. */
const EXPIRY_GRACE_MS = 25_000;

/**
 * One timer for all connections. Each tick pings those that have been quiet for an interval, all in one go, and gives up on
 * those that have not answered. Whoever talks is not asked whether it is alive; but every peer is sent something within an
 * interval, since the client's own watchdog waits for it.
 */
export class Heartbeat {
  /** A coarse clock, read once a tick: cheap enough to stamp every frame with. */
  now: number;
  readonly #connections = new Set<Beating>();
  readonly #environment: Environment;
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  readonly #tickMs: number;
  #stop: Cancel | undefined;

  constructor(environment: Environment, settings: { intervalMs: number; timeoutMs: number }) {
    this.#environment = environment;
    this.#intervalMs = settings.intervalMs;
    this.#timeoutMs = settings.timeoutMs;
    // A tick is the most by which a ping or a verdict can be late.
    this.#tickMs = Math.max(10, Math.min(1_000, settings.intervalMs / 10, settings.timeoutMs / 5));
    this.now = environment.now();
  }

  add(connection: Beating): void {
    if (this.#connections.size === 0) {
      this.now = this.#environment.now();
      this.#stop = this.#environment.every(this.#tickMs, this.#tick);
    }
    connection.lastHeardAt = this.now;
    this.#connections.add(connection);
  }

  remove(connection: Beating): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  readonly #tick = (): void => {
    this.now = this.#environment.now();
    let ping: Frame | undefined;
    for (const connection of this.#connections) {
      if (this.now >= connection.expiresAt + EXPIRY_GRACE_MS) {
        connection.credentialExpired();
        continue;
      }
      if (this.now >= connection.renewAt) connection.askForCredential();
      if (connection.pingedAt > 0) {
        if (this.now - connection.pingedAt >= this.#timeoutMs) connection.heartbeatMissed();
      } else if (this.now - connection.lastHeardAt >= this.#intervalMs - this.#tickMs) {
        connection.pingedAt = this.now;
        // One frame for the whole bunch, and a new one each tick: a batch that hangs on it can be collected.
        connection.deliver((ping ??= new Frame('{"type":"ping"}')));
      }
    }
  };
}
