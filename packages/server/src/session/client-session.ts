import type { Connection } from "./connection.js";
import type { Identity } from "./identity.js";
import { endingCalls, endingOptions } from "./disconnect-options.js";
import type { RenewableSession } from "./session.js";

/**
 * The states of a session on the server:
 *
 *   live ──connection lost──▶ away ──resume time over──▶ ended
 *    ▲                         │                           ▲
 *    └──────── resumed ────────┘                           │
 *    └──────── disconnected, revoked, replaced ────────────┘   (also from `away`)
 *
 * If a client resumes while its old connection is half-open, the session stays `live` and only its
 * connection changes.
 */
export type SessionState =
  | { readonly name: "live"; readonly connection: Connection }
  | { readonly name: "away"; readonly last: Trace }
  | { readonly name: "ended"; readonly last: Trace };

/**
 * The values of a closed connection that the session still needs. The connection itself is not
 * kept, because the socket and headers would stay in memory for as long as the session waits.
 */
type Trace = Pick<Connection, "parameters" | "lastHeardAt" | "lastActiveAt" | "remoteAddress">;

/** The part of `Sessions` that a session calls. */
interface Registry {
  end(id: string, code: number, reason: string): void;
}

export class ClientSession implements RenewableSession {
  state: SessionState;
  data: unknown;
  metadata: Readonly<Record<string, unknown>> = none;
  /**
   * The id of the session that the client asked to resume, if this instance began a new session
   * instead. Another instance may have the old session.
   */
  introduced: string | undefined;
  readonly #connectedAt: number;
  readonly #registry: Registry;

  constructor(
    readonly id: string,
    public identity: Identity | undefined,
    readonly deviceId: string | undefined,
    connection: Connection,
    registry: Registry,
  ) {
    this.state = { name: "live", connection };
    this.#connectedAt = connection.connectedAt;
    this.#registry = registry;
  }

  get #trace(): Trace {
    return this.state.name === "live" ? this.state.connection : this.state.last;
  }

  /**
   * Changes the state and releases the connection object, of which only the needed values are kept.
   * `ended` is final.
   */
  leave(state: "away" | "ended"): void {
    const { parameters, lastHeardAt, lastActiveAt, remoteAddress } = this.#trace;
    this.state = { name: state, last: { parameters, lastHeardAt, lastActiveAt, remoteAddress } };
  }

  get connection(): Connection | undefined {
    return this.state.name === "live" ? this.state.connection : undefined;
  }

  get userId(): string | undefined {
    return this.identity?.userId;
  }

  get parameters(): unknown {
    return this.#trace.parameters;
  }

  get remoteAddress(): string {
    return this.#trace.remoteAddress;
  }

  get connectedAt(): Date {
    return new Date(this.#connectedAt);
  }

  get lastActiveAt(): Date {
    // The clock that stamps frames is coarse, so the time may lie before the connection opened.
    return new Date(Math.max(this.#trace.lastActiveAt, this.#connectedAt));
  }

  /** The time of the last activity by the monotonic clock, for comparisons. */
  get lastHeardAt(): number {
    return this.#trace.lastHeardAt;
  }

  get isConnected(): boolean {
    return this.state.name === "live";
  }

  get subscriptions(): readonly string[] {
    return this.connection?.membership?.channels() ?? [];
  }

  disconnect(...given: unknown[]): void {
    const { code, reason } = endingOptions(endingCalls.session, given);
    this.#registry.end(this.id, code, reason);
  }
}

const none: Readonly<Record<string, unknown>> = Object.freeze({});
