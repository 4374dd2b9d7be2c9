import type { Connection } from "./connection.js";
import type { Identity } from "./identity.js";
import { endingCalls, endingOptions } from "./disconnect-options.js";
import type { RenewableSession } from "./session.js";

/**
 *   live ──connection lost──▶ away ──window over──▶ ended
 *    ▲                         │                      ▲
 *    └──────── resumed ────────┘                      │
 *    └──────── disconnected, revoked, replaced ───────┘   (from `away` as well)
 *
 * A session that is taken over while its old connection is half-open stays `live`: only the
 * connection changes.
 */
export type SessionState =
  | { readonly name: "live"; readonly connection: Connection }
  | { readonly name: "away"; readonly last: Trace }
  | { readonly name: "ended"; readonly last: Trace };

/**
 * What stays of a connection. Not the connection: its socket and headers would be kept for as long
 * as the session waits.
 */
type Trace = Pick<Connection, "parameters" | "lastHeardAt" | "lastActiveAt" | "remoteAddress">;

/** What a session needs of the registry that it stands in. */
interface Registry {
  end(id: string, code: number, reason: string): void;
}

export class ClientSession implements RenewableSession {
  state: SessionState;
  data: unknown;
  metadata: Readonly<Record<string, unknown>> = none;
  /**
   * The session that its client wanted to continue and that is not here. Another instance may have
   * it.
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

  /** It has no connection any more; `ended` is for good. */
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
    // The clock that stamps frames is coarse, and may lie before the beginning.
    return new Date(Math.max(this.#trace.lastActiveAt, this.#connectedAt));
  }

  /** The same for comparisons, by the monotonic clock. */
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
