import { expect, test } from "vitest";
import { MOST_PARTICIPANTS, type SessionDraft, type SyncMode } from "./protocol.js";
import { addParticipant, newSession, pause, resume, switchCycle } from "./session-changes.js";
import { remainingMs, usedMs } from "./session-time.js";

const START = Date.parse("2026-01-01T10:00:00Z");
const at = (seconds: number): Date => new Date(START + seconds * 1_000);

function session(syncMode: SyncMode, names = ["Ada", "Grace", "Edsger"]): SessionDraft {
  let ids = 0;
  const newId = () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`;
  return newSession({
    sessionId: "7c1f4f0e-5c0b-4a59-9d6e-2f1a3b4c5d6e",
    title: "Review",
    syncMode,
    timeMs: 60_000,
    participants: names,
    newId,
    at: at(0),
  });
}
/** The remaining seconds of each participant at a moment. */
const left = (draft: SessionDraft, seconds: number) =>
  draft.participants.map((participant) => remainingMs(draft, participant, at(seconds).getTime()) / 1_000);
const turn = ({ participants, turn: id }: SessionDraft) => participants.find((one) => one.id === id)?.name;

test("[SX4] the clock of a new session stands until resume, and the first participant has the first turn", () => {
  const draft = session("per_participant");
  expect([draft.phase.name, draft.cycle, draft.version, turn(draft)]).toEqual(["ready", 0, 1, "Ada"]);
  expect(left(draft, 100)).toEqual([60, 60, 60]);
  expect(pause(draft, at(1))).toBe("WRONG_PHASE");
  expect(switchCycle(draft, { cycle: 0 }, at(1))).toBe("WRONG_PHASE");
  expect(draft.version).toBe(1);
  resume(draft, at(10));
  expect([draft.phase, draft.cycle, draft.version]).toEqual([{ name: "running", since: at(10) }, 1, 2]);
  expect(left(draft, 25)).toEqual([45, 60, 60]);
});

test("[SX4] per_participant: the time of a participant runs only during their turns, and continues below 0", () => {
  const draft = session("per_participant", ["Ada", "Grace"]);
  resume(draft, at(0));
  switchCycle(draft, { cycle: 1 }, at(20));
  expect([turn(draft), draft.cycle, left(draft, 30)]).toEqual(["Grace", 2, [40, 50]]);
  switchCycle(draft, { cycle: 2 }, at(30));
  expect([turn(draft), draft.cycle, left(draft, 75)]).toEqual(["Ada", 3, [-5, 50]]);
  switchCycle(draft, { cycle: 3 }, at(75));
  expect(left(draft, 75)).toEqual([-5, 50]);
  expect(draft.participants.map(({ turns, usedMs: ms }) => [turns, ms])).toEqual([
    [2, 65_000],
    [2, 10_000],
  ]);
});

test("[SX4] per_cycle: each turn starts with the full time", () => {
  const draft = session("per_cycle", ["Ada", "Grace"]);
  resume(draft, at(0));
  switchCycle(draft, { cycle: 1 }, at(20));
  expect(left(draft, 50)).toEqual([40, 30]);
  switchCycle(draft, { cycle: 2 }, at(50));
  expect(left(draft, 51)).toEqual([59, 30]);
});

test("[SX4] total: all participants share the time", () => {
  const draft = session("total");
  resume(draft, at(0));
  switchCycle(draft, { cycle: 1 }, at(20));
  expect(left(draft, 30)).toEqual([30, 30, 30]);
  pause(draft, at(30));
  expect(left(draft, 500)).toEqual([30, 30, 30]);
  expect(draft.participants.map((one) => usedMs(draft, one, at(500).getTime()))).toEqual([20_000, 10_000, 0]);
});

test("[SX5] pause stops the clock and keeps the turn, resume continues both, and repeating either changes nothing", () => {
  const draft = session("per_participant");
  resume(draft, at(0));
  resume(draft, at(5));
  expect(draft.version).toBe(2);
  pause(draft, at(10));
  pause(draft, at(20));
  expect([draft.phase.name, draft.version, left(draft, 90)]).toEqual(["paused", 3, [50, 60, 60]]);
  expect(switchCycle(draft, { cycle: 1 }, at(90))).toBe("WRONG_PHASE");
  resume(draft, at(100));
  expect([turn(draft), draft.cycle, left(draft, 110)]).toEqual(["Ada", 1, [40, 60, 60]]);
});

test("[SX6] a second switchCycle for the same cycle is refused with CYCLE_OVER and changes nothing", () => {
  const draft = session("per_participant");
  resume(draft, at(0));
  expect(switchCycle(draft, { cycle: 1 }, at(3))).toBeUndefined();
  const after = structuredClone(draft);
  expect(switchCycle(draft, { cycle: 1 }, at(3))).toBe("CYCLE_OVER");
  expect(draft).toEqual(after);
});

test("[SX6] switchCycle gives the turn to a chosen participant, and after the last one to the first", () => {
  const draft = session("per_participant");
  resume(draft, at(0));
  const edsger = draft.participants[2]!.id;
  expect(switchCycle(draft, { cycle: 1, to: "nobody" }, at(1))).toBe("UNKNOWN_PARTICIPANT");
  switchCycle(draft, { cycle: 1, to: edsger }, at(1));
  expect(turn(draft)).toBe("Edsger");
  switchCycle(draft, { cycle: 2 }, at(2));
  expect(turn(draft)).toBe("Ada");
});

test("[SX7] addParticipant appends a participant with the full time, and refuses a thirteenth one", () => {
  const draft = session("per_cycle", ["Ada"]);
  for (let index = 1; index < MOST_PARTICIPANTS; index++)
    expect(addParticipant(draft, { id: `id-${index}`, name: `No. ${index}` }, at(index))).toBeUndefined();
  expect(draft.participants.at(-1)).toEqual({ id: "id-11", name: "No. 11", remainingMs: 60_000, usedMs: 0, turns: 0 });
  expect(addParticipant(draft, { id: "id-12", name: "No. 12" }, at(60))).toBe("TOO_MANY_PARTICIPANTS");
  expect([draft.participants.length, draft.version, draft.updatedAt]).toEqual([12, 12, at(11)]);
});

test("[SX4] a clock behind the server's shows the full time and not more", () => {
  const draft = session("per_participant");
  resume(draft, at(10));
  expect(left(draft, 8)).toEqual([60, 60, 60]);
});
