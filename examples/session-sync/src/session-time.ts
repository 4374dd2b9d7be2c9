import type { Participant, SessionState } from "./protocol.js";

/** What the clock says at a moment. Used by the server when it stops, and by pages all the time. */

/** How long the present turn's clock has run since it was last started. */
export function runningMs({ phase }: Pick<SessionState, "phase">, at: number): number {
  // A page's idea of the server's time may lag behind by a little.
  return phase.name === "running" ? Math.max(0, at - phase.since.getTime()) : 0;
}

/** What a participant has left; below 0 is over time. In `total` it is the same for all. */
export function remainingMs(session: SessionState, participant: Participant, at: number): number {
  const { syncMode, sharedMs = 0, turn } = session;
  const kept = syncMode === "total" ? sharedMs : participant.remainingMs;
  return syncMode === "total" || participant.id === turn ? kept - runningMs(session, at) : kept;
}

/** What a participant can count on: of who waits, what their next turn begins with. */
export function comingMs(session: SessionState, participant: Participant, at: number): number {
  const isAnew = session.syncMode === "per_cycle" && participant.id !== session.turn;
  return isAnew ? session.timeMs : remainingMs(session, participant, at);
}

/** What a participant has used up, the turn that runs included. */
export function usedMs(session: SessionState, { id, usedMs: kept }: Participant, at: number): number {
  return id === session.turn ? kept + runningMs(session, at) : kept;
}
