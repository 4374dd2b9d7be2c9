/**
 * The counters of `server.stats()`, for this instance only. Totals count from the start of the
 * server.
 */
export interface ServerStats {
  readonly connections: {
    /** Open connections, including those in the handshake. */
    readonly active: number;
    /** The most connections that were open at the same time. */
    readonly peak: number;
    readonly total: number;
    /** Connections refused at the upgrade or closed before authentication. */
    readonly failed: number;
  };
  readonly sessions: {
    /** Sessions that have a connection. */
    readonly active: number;
    /** Sessions that wait to be resumed. */
    readonly away: number;
  };
  readonly users: {
    /**
     * Users who have at least one session on this instance, including sessions that wait to be
     * resumed.
     */
    readonly active: number;
  };
  readonly messages: { readonly sent: number; readonly received: number };
  readonly subscriptions: { readonly active: number; readonly failed: number };
  /** Channels that have members on this instance. */
  readonly channels: { readonly active: number };
  /** The number of publications, and the number of connections that they were delivered to. */
  readonly published: { readonly total: number; readonly delivered: number };
  readonly requests: { readonly total: number; readonly inFlight: number };
  /**
   * Documents: changes and loads on this instance; conflicts with changes of other instances; and
   * how often a client reported that a copy differs from the document. `mismatches` should always
   * be 0.
   */
  readonly documents: { readonly changes: number; readonly conflicts: number; readonly mismatches: number };
  /** Refusals and failures by error code. */
  readonly errors: { readonly [code: string]: number };
}

/**
 * The counters themselves. The parts of the server increment the counters, and `snapshot` reads
 * them.
 */
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
