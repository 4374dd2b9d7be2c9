import type { CloseCode } from "@holdfast/protocol";

export interface RetryLimits {
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * A connection that lasted at least this long counts as a success, so its end is treated as the
 * first failure. Milliseconds.
 */
export const LASTING_MS = 5_000;

/**
 * If the server refuses tokens with 4401, the client fetches at most 3 new tokens per minute.
 * Further attempts would only load the token function and the server.
 */
export const RENEWALS = { most: 3, withinMs: 60_000 } as const;

/**
 * The longest delay that the client accepts from a server: one hour. A longer hint is treated as a
 * mistake and shortened.
 */
const LONGEST_HINT_MS = 3_600_000;

/**
 * After a platform hint, the attempt starts within a random part of this time. When the network of
 * an office returns, all clients in the office receive the hint at the same time.
 */
export const SOON_MS = 1_000;

export interface Delay {
  /** The delay before the attempt. Milliseconds. */
  readonly ms: number;
  /** The shortest delay to which a platform hint may reduce `ms`. Milliseconds. */
  readonly leastMs: number;
}

/**
 * Computes the delay with full jitter: a random value between 0 and the window, so that clients
 * that lost the same server spread evenly. `attempt` is the number of consecutive failed attempts,
 * from 1.
 *
 * A server's hint is the earliest time for a retry and is the same for many clients, so the jitter
 * is added to the hint. The server draws the delay in `goaway` for each client separately, so no
 * jitter is added to that delay. Hints and delays above one hour are shortened to one hour.
 */
export function retryDelay(
  attempt: number,
  row: Pick<CloseCode, "firstRetryMs">,
  draw: { readonly random: number; readonly hintMs?: number | undefined; readonly goawayMs?: number | undefined },
  limits: RetryLimits,
): Delay {
  if (draw.goawayMs !== undefined) {
    const ms = Math.min(draw.goawayMs, LONGEST_HINT_MS);
    return { ms, leastMs: ms };
  }
  const hintMs = Math.min(draw.hintMs ?? 0, LONGEST_HINT_MS);
  // `firstRetryMs` is a wide first window for clients that received no hint. If there is a hint,
  // the server has already chosen the spread.
  const first = (hintMs === 0 && row.firstRetryMs) || limits.minMs;
  const window = Math.min(limits.maxMs, attempt === 1 ? first : limits.minMs * 2 ** (attempt - 1));
  return { ms: hintMs + Math.ceil(draw.random * window), leastMs: hintMs };
}

/**
 * Reads `{"retryAfterMs":600}` from a close reason. Returns undefined if the reason contains no
 * such hint.
 */
export function retryAfterMs(reason: string): number | undefined {
  try {
    const { retryAfterMs: hint } = JSON.parse(reason) as { retryAfterMs?: unknown };
    return typeof hint === "number" && hint >= 0 ? hint : undefined;
  } catch {
    return undefined;
  }
}
