import type { CloseCode } from "@holdfast/protocol";

export interface RetryLimits {
  readonly minMs: number;
  readonly maxMs: number;
}

/** A connection that lasted this long was a good one: the next failure counts as the first. */
export const LASTING_MS = 5_000;

/**
 * Refused credentials are renewed this often in this time; after that, asking again would only
 * hammer both sides.
 */
export const RENEWALS = { most: 3, withinMs: 60_000 } as const;

/** A hint beyond an hour is taken for a mistake. */
const LONGEST_HINT_MS = 3_600_000;

/**
 * When the page becomes visible or the network returns, everyone in an office does so at once:
 * spread over a second.
 */
export const SOON_MS = 1_000;

export interface Delay {
  /** How long to wait. Milliseconds. */
  readonly ms: number;
  /** No platform hint may shorten the wait below this. Milliseconds. */
  readonly leastMs: number;
}

/**
 * Full jitter: anything between nothing and the window, so that clients that lost the same server
 * spread evenly. `attempt` is the number of attempts that failed in a row, from 1.
 *
 * A hint is the earliest moment, and the same for many clients, so the jitter comes on top of it;
 * what the server sends with `goaway` was drawn for this client alone and is taken as it is.
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
  // The row's wide first window spreads a herd that no one told anything; with a hint the server
  // has taken that over.
  const first = (hintMs === 0 && row.firstRetryMs) || limits.minMs;
  const window = Math.min(limits.maxMs, attempt === 1 ? first : limits.minMs * 2 ** (attempt - 1));
  return { ms: hintMs + Math.ceil(draw.random * window), leastMs: hintMs };
}

/**
 * Reads `{"retryAfterMs":600}` from a close reason; whatever else is there is text for a person.
 */
export function retryAfterMs(reason: string): number | undefined {
  try {
    const { retryAfterMs: hint } = JSON.parse(reason) as { retryAfterMs?: unknown };
    return typeof hint === "number" && hint >= 0 ? hint : undefined;
  } catch {
    return undefined;
  }
}
