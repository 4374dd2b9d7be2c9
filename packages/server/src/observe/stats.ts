/**
 * The figures of `server.stats()`: of this instance alone. Totals count from the start of the
 * server.
 */
export interface ServerStats {
  readonly connections: {
    /** Open now, handshakes included. */
    readonly active: number;
    /** The most that were ever open at once. */
    readonly peak: number;
    readonly total: number;
    /** Refused at the upgrade, or closed without having authenticated. */
    readonly failed: number;
  };
  readonly sessions: {
    /** Those that have a connection. */
    readonly active: number;
    /** Those that wait to be resumed. */
    readonly away: number;
  };
  readonly users: {
    /** Those with at least one session on this instance, away or not. */
    readonly active: number;
  };
  readonly messages: { readonly sent: number; readonly received: number };
  readonly subscriptions: { readonly active: number; readonly failed: number };
  /** Channels that have members. */
  readonly channels: { readonly active: number };
  /** Publications, and to how many connections they were handed. */
  readonly published: { readonly total: number; readonly delivered: number };
  readonly requests: { readonly total: number; readonly inFlight: number };
  /**
   * Documents: how often they were changed or loaded here; how often others were first; and how
   * often a client has said that its copy is not what it should be, which should never be.
   */
  readonly documents: { readonly changes: number; readonly conflicts: number; readonly mismatches: number };
  /** Refusals and failures by error code. */
  readonly errors: { readonly [code: string]: number };
}

/** Counts. The parts of the server bump it where things happen; only `snapshot` reads it. */
export class Stats {
  connectionsActive = 0;
  connectionsPeak = 0;
  connectionsTotal = 0;
  connectionsFailed = 0;
  sessionsLive = 0;
  sessionsAway = 0;
  users = 0;
  sent = 0;
  received = 0;
  subscriptionsActive = 0;
  subscriptionsFailed = 0;
  channelsActive = 0;
  published = 0;
  delivered = 0;
  requests = 0;
  requestsInFlight = 0;
  stateChanges = 0;
  stateConflicts = 0;
  stateMismatches = 0;
  readonly #errors = new Map<string, number>();

  connectionOpened(): void {
    this.connectionsTotal++;
    this.connectionsActive++;
    this.connectionsPeak = Math.max(this.connectionsPeak, this.connectionsActive);
  }

  error(code: string): void {
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
  }

  snapshot(): ServerStats {
    return {
      connections: {
        active: this.connectionsActive,
        peak: this.connectionsPeak,
        total: this.connectionsTotal,
        failed: this.connectionsFailed,
      },
      sessions: { active: this.sessionsLive, away: this.sessionsAway },
      users: { active: this.users },
      messages: { sent: this.sent, received: this.received },
      subscriptions: { active: this.subscriptionsActive, failed: this.subscriptionsFailed },
      channels: { active: this.channelsActive },
      published: { total: this.published, delivered: this.delivered },
      requests: { total: this.requests, inFlight: this.requestsInFlight },
      documents: { changes: this.stateChanges, conflicts: this.stateConflicts, mismatches: this.stateMismatches },
      errors: Object.fromEntries(this.#errors),
    };
  }
}
