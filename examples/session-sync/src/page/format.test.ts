import { duration } from "@holdfast/example-kit/page/duration";
import { expect, test } from "vitest";
import { newSession, pause, resume } from "../session-changes.js";
import { countdown, spoken } from "./format.js";

test.each([
  [300_000, "5:00"],
  [299_999, "5:00"],
  [247_000, "4:07"],
  [1, "0:01"],
  [0, "0:00"],
  [-999, "0:00"],
  [-12_400, "+0:12"],
  [3_723_000, "1:02:03"],
])("[SX14] countdown: %i ms left are shown as %s", (ms, text) => {
  expect(countdown(ms)).toBe(text);
});

test.each([
  [999, "0 s"],
  [61_000, "1 min 1 s"],
  [3_660_000, "1 h 1 min"],
])("[SX14] duration: %i ms used are shown as %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test("[SX22] spoken says whether the clock runs, whose turn it is, and when the time is over", () => {
  const at = new Date();
  const session = newSession({
    sessionId: "s",
    title: "Design review",
    syncMode: "total",
    timeMs: 60_000,
    participants: ["Ada"],
    newId: () => "a",
    at,
  });
  expect(spoken(session, "Ada", 60_000)).toBe("");
  resume(session, at);
  expect(spoken(session, "Ada", 60_000)).toBe("Running. Cycle 1: Ada");
  expect(spoken(session, "Ada", -1)).toBe("Running, over time. Cycle 1: Ada");
  pause(session, at);
  expect(spoken(session, "Ada", 1_000)).toBe("Paused. Cycle 1: Ada");
});
