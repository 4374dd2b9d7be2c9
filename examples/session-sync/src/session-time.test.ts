import { expect, test } from "vitest";
import type { SyncMode } from "./protocol.js";
import { newSession, resume, switchCycle } from "./session-changes.js";
import { comingMs } from "./session-time.js";

const at = (seconds: number): Date => new Date(1_700_000_000_000 + seconds * 1_000);

test.each<[SyncMode, number[]]>([
  ["per_participant", [-3, 40]],
  ["per_cycle", [60, 40]],
  ["total", [-23, -23]],
])("[SX4] comingMs, %s: the time with which the next turn of a participant begins", (syncMode, expected) => {
  const session = newSession({
    sessionId: "s",
    title: "Design review",
    syncMode,
    timeMs: 60_000,
    participants: ["Ada", "Grace"],
    newId: () => crypto.randomUUID(),
    at: at(0),
  });
  resume(session, at(0));
  switchCycle(session, { cycle: 1 }, at(63));
  const coming = session.participants.map((one) => comingMs(session, one, at(83).getTime()) / 1_000);
  expect(coming).toEqual(expected);
});
