import type { Participant, SessionState } from "./protocol.js";

/**
 * Computes the times of a session at a given time `at`, in milliseconds since 1970. The server uses
 * these functions when a clock stops, and pages use them to show a running clock.
 */

/** How long the clock has run since its last start. 0 if the clock is stopped. */
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
 * The time to show for a participant: the remaining time. In `per_cycle`, a waiting participant
 * gets the full time, with which the next turn begins.
 */
export function comingMs(session: SessionState, participant: Participant, at: number): number {
  const isAnew = session.syncMode === "per_cycle" && participant.id !== session.turn;
  return isAnew ? session.timeMs : remainingMs(session, participant, at);
}

/** The time that a participant has used, including the running turn. */
export function usedMs(session: SessionState, { id, usedMs: kept }: Participant, at: number): number {
  return id === session.turn ? kept + runningMs(session, at) : kept;
}
