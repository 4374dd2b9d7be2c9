import type { Participant, SessionState } from "./protocol.js";

/**
 * Computes times at a given moment. The server uses these functions when a clock stops, and pages
 * use them to show a running clock.
 */

/** How long the current turn's clock has run since its last start. */
export function runningMs({ phase }: Pick<SessionState, "phase">, at: number): number {
  // A page's estimate of the server's time may lag a little behind.
  return phase.name === "running" ? Math.max(0, at - phase.since.getTime()) : 0;
}

/**
 * The remaining time of a participant. Negative values are overtime. In `total`, all participants
 * have the same remaining time.
 */
export function remainingMs(session: SessionState, participant: Participant, at: number): number {
  const { syncMode, sharedMs = 0, turn } = session;
  const kept = syncMode === "total" ? sharedMs : participant.remainingMs;
  return syncMode === "total" || participant.id === turn ? kept - runningMs(session, at) : kept;
}

/**
 * The time a participant can count on. For a waiting participant, the time with which the next turn
 * begins.
 */
export function comingMs(session: SessionState, participant: Participant, at: number): number {
  const isAnew = session.syncMode === "per_cycle" && participant.id !== session.turn;
  return isAnew ? session.timeMs : remainingMs(session, participant, at);
}

/** The time a participant has used, including the running turn. */
export function usedMs(session: SessionState, { id, usedMs: kept }: Participant, at: number): number {
  return id === session.turn ? kept + runningMs(session, at) : kept;
}
