import { MOST_PARTICIPANTS, type SessionDraft, type SyncMode } from "./protocol.js";
import { runningMs } from "./session-time.js";

/**
 * The changes of a session.
 *
 *   ready ──resume──▶ running ──pause──▶ paused ──resume──▶ running
 *                      │   ▲
 *                      └───┘ switchCycle
 *
 * Nothing happens automatically at the end of a turn. The time continues below 0 until a watcher
 * ends the turn. Therefore no instance keeps a timer, and no timer is lost if an instance dies.
 *
 * If another instance changes the document first, a function runs again on the newer document, so
 * it must have no effect except on the draft. If a function refuses the change, it returns the
 * reason.
 */

export interface NewSession {
  readonly sessionId: string;
  readonly title: string;
  readonly syncMode: SyncMode;
  readonly timeMs: number;
  readonly participants: readonly string[];
  readonly newId: () => string;
  readonly at: Date;
}

export function newSession({ participants: names, newId, at, ...rest }: NewSession): SessionDraft {
  const { syncMode, timeMs } = rest;
  const participants = names.map((name) => ({ id: newId(), name, remainingMs: timeMs, usedMs: 0, turns: 0 }));
  return {
    ...rest,
    phase: { name: "ready" },
    cycle: 0,
    turn: participants[0]!.id,
    participants,
    ...(syncMode === "total" && { sharedMs: timeMs }),
    version: 1,
    updatedAt: at,
  };
}

export function resume(draft: SessionDraft, at: Date): void {
  switch (draft.phase.name) {
    case "running":
      return;
    case "ready":
      beginCycle(draft, draft.turn);
      break;
    case "paused":
      break;
    default:
      draft.phase satisfies never;
  }
  draft.phase = { name: "running", since: at };
  touch(draft, at);
}

export function pause(draft: SessionDraft, at: Date): "WRONG_PHASE" | undefined {
  if (draft.phase.name === "ready") return "WRONG_PHASE";
  if (draft.phase.name === "paused") return undefined;
  stopClock(draft, at);
  draft.phase = { name: "paused" };
  touch(draft, at);
  return undefined;
}

export interface Switch {
  /** The cycle to end. */
  readonly cycle: number;
  /** @default the next participant */
  readonly to?: string | undefined;
}

export function switchCycle(
  draft: SessionDraft,
  { cycle, to }: Switch,
  at: Date,
): "WRONG_PHASE" | "CYCLE_OVER" | "UNKNOWN_PARTICIPANT" | undefined {
  if (draft.phase.name !== "running") return "WRONG_PHASE";
  if (draft.cycle !== cycle) return "CYCLE_OVER";
  const { participants, turn } = draft;
  const present = participants.findIndex(({ id }) => id === turn);
  const next = to === undefined ? participants[(present + 1) % participants.length] : find(draft, to);
  if (!next) return "UNKNOWN_PARTICIPANT";
  stopClock(draft, at);
  beginCycle(draft, next.id);
  draft.phase = { name: "running", since: at };
  touch(draft, at);
  return undefined;
}

export function addParticipant(
  draft: SessionDraft,
  { id, name }: { readonly id: string; readonly name: string },
  at: Date,
): "TOO_MANY_PARTICIPANTS" | undefined {
  if (draft.participants.length >= MOST_PARTICIPANTS) return "TOO_MANY_PARTICIPANTS";
  draft.participants.push({ id, name, remainingMs: draft.timeMs, usedMs: 0, turns: 0 });
  touch(draft, at);
  return undefined;
}

function beginCycle(draft: SessionDraft, participantId: string): void {
  const participant = find(draft, participantId);
  if (!participant) return;
  draft.cycle += 1;
  draft.turn = participantId;
  participant.turns += 1;
  if (draft.syncMode === "per_cycle") participant.remainingMs = draft.timeMs;
}

/** Adds the time since the clock was started to the time that the current participant has used. */
function stopClock(draft: SessionDraft, at: Date): void {
  const ms = runningMs(draft, at.getTime());
  const participant = find(draft, draft.turn);
  if (!participant) return;
  participant.usedMs += ms;
  if (draft.syncMode === "total") draft.sharedMs = (draft.sharedMs ?? 0) - ms;
  else participant.remainingMs -= ms;
}

function touch(draft: SessionDraft, at: Date): void {
  draft.version += 1;
  draft.updatedAt = at;
}

const find = ({ participants }: SessionDraft, wanted: string) => participants.find(({ id }) => id === wanted);
