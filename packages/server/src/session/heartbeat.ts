import type { Cancel } from "@holdfast/protocol";
import type { ServerEnvironment } from "../environment.js";
import { Frame } from "../transport/frame.js";
import { CredentialLife } from "./credential-life.js";

/** The part of a connection that the heartbeat uses. */
export interface Beating {
  /** When the server last received anything, by the heartbeat's coarse monotonic clock. */
  lastHeardAt: number;
  /** When the connection was last pinged, by the same clock; undefined if no answer is pending. */
  pingedAt: number | undefined;
  /** The life of the connection's credential; undefined if the credential does not expire. */
  readonly credentialLife: CredentialLife | undefined;
  deliver(frame: Frame): void;
  heartbeatMissed(): void;
  askForCredential(): void;
  credentialExpired(): void;
}

/**
 * Pings idle connections and closes dead ones, with one timer for all. Each tick pings the
 * connections that were silent for an interval and closes those that did not answer the previous
 * ping in time. A client that sends frames is known to be alive, so no ping is needed. The client's
 * own watchdog expects a frame from the server within each interval; for such a client, these are
 * the answers to its messages.
 */
export class Heartbeat {
  /** A coarse monotonic clock, read once per tick. Cheap enough to stamp every frame. */
  coarseMs: number;
  readonly #connections = new Set<Beating>();
  readonly #environment: ServerEnvironment;
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  readonly #tickMs: number;
  #stop: Cancel | undefined;

  constructor(environment: ServerEnvironment, settings: { intervalMs: number; timeoutMs: number }) {
    this.#environment = environment;
    this.#intervalMs = settings.intervalMs;
    this.#timeoutMs = settings.timeoutMs;
    // A ping or a timeout is late by at most one tick.
    this.#tickMs = Math.max(10, Math.min(1_000, settings.intervalMs / 10, settings.timeoutMs / 5));
    this.coarseMs = environment.monotonic();
  }

  add(connection: Beating): void {
    if (this.#connections.size === 0) {
      this.coarseMs = this.#environment.monotonic();
      this.#stop = this.#environment.every(this.#tickMs, this.#tick);
    }
    connection.lastHeardAt = this.coarseMs;
    this.#connections.add(connection);
  }

  /**
   * When the server last received anything from the connection, as a date for display. Based on the
   * wall clock's current setting.
   */
  dateOf({ lastHeardAt }: Pick<Beating, "lastHeardAt">): number {
    // oxlint-disable-next-line no-restricted-properties -- a date for display
    return Math.round(this.#environment.now() - (this.#environment.monotonic() - lastHeardAt));
  }

  /**
   * The life of a credential that expires at this date, starting now; undefined if the credential
   * does not expire.
   */
  lifeUntil(expiresAt: number | undefined): CredentialLife | undefined {
    // oxlint-disable-next-line no-restricted-properties -- the end of a credential is a date
    return expiresAt === undefined ? undefined : new CredentialLife(expiresAt, this.#environment.now());
  }

  remove(connection: Beating): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  readonly #tick = (): void => {
    const now = (this.coarseMs = this.#environment.monotonic());
    // oxlint-disable-next-line no-restricted-properties -- the end of a credential is a date
    const date = this.#environment.now();
    let ping: Frame | undefined;
    for (const connection of this.#connections) {
      const due = connection.credentialLife?.due(date, now);
      if (due === "end") {
        connection.credentialExpired();
        continue;
      }
      if (due === "ask") connection.askForCredential();
      if (connection.pingedAt !== undefined) {
        if (now - connection.pingedAt >= this.#timeoutMs) connection.heartbeatMissed();
      } else if (now - connection.lastHeardAt >= this.#intervalMs - this.#tickMs) {
        connection.pingedAt = now;
        // One frame for all connections of this tick. Each tick creates a new frame, so the batches
        // that extend it can be garbage collected.
        connection.deliver((ping ??= new Frame('{"type":"ping"}')));
      }
    }
  };
}
