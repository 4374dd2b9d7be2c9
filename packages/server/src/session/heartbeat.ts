import type { Cancel } from "@holdfast/protocol";
import type { ServerEnvironment } from "../environment.js";
import { Frame } from "../transport/frame.js";
import { CredentialLife } from "./credential-life.js";

/** What the heartbeat needs of a connection. */
export interface Beating {
  /** When something was last heard from it, by the heartbeat's coarse monotonic clock. */
  lastHeardAt: number;
  /**
   * When it was last pinged without anything heard since, by the same clock; undefined when nothing
   * is owed.
   */
  pingedAt: number | undefined;
  /** The life of its credential; undefined if the credential does not end. */
  readonly credentialLife: CredentialLife | undefined;
  deliver(frame: Frame): void;
  heartbeatMissed(): void;
  askForCredential(): void;
  credentialExpired(): void;
}

/**
 * One timer for all connections. Each tick pings those that have been quiet for an interval, all in
 * one go, and gives up on those that have not answered. Whoever talks is not asked whether it is
 * alive; but every peer is sent something within an interval, since the client's own watchdog waits
 * for it.
 */
export class Heartbeat {
  /** A coarse monotonic clock, read once a tick: cheap enough to stamp every frame with. */
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
    // A tick is the most by which a ping or a verdict can be late.
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

  /** When something was last heard, for display: as a date by the wall clock as it is set now. */
  dateOf({ lastHeardAt }: Pick<Beating, "lastHeardAt">): number {
    // oxlint-disable-next-line no-restricted-properties -- a date for display
    return Math.round(this.#environment.now() - (this.#environment.monotonic() - lastHeardAt));
  }

  /** The life of a credential that ends at this date, from now on; undefined if it does not end. */
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
        // One frame for the whole bunch, and a new one each tick: a batch that hangs on it can be
        // collected.
        connection.deliver((ping ??= new Frame('{"type":"ping"}')));
      }
    }
  };
}
