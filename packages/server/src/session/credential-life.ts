/**
 * How long before a credential ends its successor is asked for, unless it lives so short that this
 * is most of its life.
 */
const RENEW_BEFORE_MS = 30_000;
/** An asking that led to nothing is repeated. */
const RENEW_AGAIN_MS = 10_000;
/** A token that has just run out may have its successor under way. */
const EXPIRY_GRACE_MS = 25_000;

/**
 * What remains of a credential. The application names its end as a date, so only the wall clock can
 * say whether that date is over. The times that follow from it, between two askings and until the
 * connection is closed, are measured with the monotonic clock: if the wall clock jumps past the
 * end, the client is still asked and still has its 25 s for a successor, and if the wall clock
 * jumps back, an end that was noticed is taken back.
 */
export class CredentialLife {
  readonly #expiresAt: number;
  readonly #renewAt: number;
  /** When the successor was last asked for. Monotonic. */
  #askedAt: number | undefined;
  /** When the end was noticed. Monotonic. */
  #endedAt: number | undefined;

  /** Both are dates: milliseconds since 1970. */
  constructor(expiresAt: number, now: number) {
    this.#expiresAt = expiresAt;
    this.#renewAt = expiresAt - Math.min(RENEW_BEFORE_MS, (expiresAt - now) / 2);
  }

  /**
   * What is due at this date and at this monotonic moment: to ask for a successor, which is then
   * taken as asked, or the end.
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
