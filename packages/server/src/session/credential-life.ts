/**
 * How long before a credential expires the client is asked for a new one. If the credential is
 * valid for less than 60 s when the server receives it, the client is asked after half of that
 * time.
 */
const RENEW_BEFORE_MS = 30_000;
/** If no new credential has arrived after this time, the client is asked again. */
const RENEW_AGAIN_MS = 10_000;
/** How long an expired credential is still accepted, because a new credential may be on the way. */
const EXPIRY_GRACE_MS = 25_000;

/**
 * Tracks when one credential must be renewed and when the credential has expired. The application
 * gives the expiry as a date, so only the wall clock can tell whether the expiry has passed.
 * Intervals are measured with the monotonic clock: the time between two requests for a new
 * credential, and the 25 s until the connection is closed. If the wall clock jumps past the expiry,
 * the client is still asked and still has 25 s to answer. If the wall clock jumps back, a noticed
 * expiry is withdrawn.
 */
export class CredentialLife {
  readonly #expiresAt: number;
  readonly #renewAt: number;
  /** When the client was last asked for a new credential. Monotonic milliseconds. */
  #askedAt: number | undefined;
  /** When the expiry was noticed. Monotonic milliseconds. */
  #endedAt: number | undefined;

  /** Both arguments are dates: milliseconds since 1970. */
  constructor(expiresAt: number, now: number) {
    this.#expiresAt = expiresAt;
    this.#renewAt = expiresAt - Math.min(RENEW_BEFORE_MS, (expiresAt - now) / 2);
  }

  /**
   * Returns the action that is due at this date and monotonic time. `ask` means that the client
   * must be asked for a new credential, and counts as done. `end` means that the connection must
   * close.
   */
  due(date: number, monotonicMs: number): "ask" | "end" | undefined {
    this.#endedAt = date >= this.#expiresAt ? (this.#endedAt ?? monotonicMs) : undefined;
    if (this.#endedAt !== undefined && monotonicMs - this.#endedAt >= EXPIRY_GRACE_MS) return "end";
    const isAsked = this.#askedAt !== undefined && monotonicMs - this.#askedAt < RENEW_AGAIN_MS;
    if (date < this.#renewAt || isAsked) return undefined;
    this.#askedAt = monotonicMs;
    return "ask";
  }
}
