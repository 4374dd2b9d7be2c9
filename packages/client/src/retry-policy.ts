import type { CloseCode } from "@holdfast/protocol";

export interface RetryLimits {
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * A connection that lasted this long counts as a success, so the next failure is treated as the
 * first.
 */
export const LASTING_MS = 5_000;

/**
 * How often refused credentials are renewed within this time. Further attempts would only load the
 * token function and the server.
 */
export const RENEWALS = { most: 3, withinMs: 60_000 } as const;

/** A longer hint of a server is treated as a mistake. */
const LONGEST_HINT_MS = 3_600_000;

/**
 * Spread of attempts that a platform hint starts. When the network of an office returns, all of its
 * clients receive the hint at the same moment.
 */
export const SOON_MS = 1_000;

export interface Delay {
  /** The delay before the attempt. Milliseconds. */
  readonly ms: number;
  /** A platform hint must not shorten the delay below this. Milliseconds. */
  readonly leastMs: number;
}

/**
 * Computes the delay with full jitter: a random value between 0 and the window, so that clients
 * that lost the same server spread evenly. `attempt` is the number of consecutive failed attempts,
 * from 1.
 *
 * A hint of the server is the earliest moment and is the same for many clients, so the jitter is
 * added to it. The delay in `goaway` was drawn for this client alone, so the delay is used
 * unchanged.
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
  // The row's wide first window spreads clients that received no hint. If there is a hint, the
  // server has already chosen the spread.
  const first = (hintMs === 0 && row.firstRetryMs) || limits.minMs;
  const window = Math.min(limits.maxMs, attempt === 1 ? first : limits.minMs * 2 ** (attempt - 1));
  return { ms: hintMs + Math.ceil(draw.random * window), leastMs: hintMs };
}

/** Reads `{"retryAfterMs":600}` from a close reason. Returns undefined for any other text. */
export function retryAfterMs(reason: string): number | undefined {
  try {
    const { retryAfterMs: hint } = JSON.parse(reason) as { retryAfterMs?: unknown };
    return typeof hint === "number" && hint >= 0 ? hint : undefined;
  } catch {
    return undefined;
  }
}
