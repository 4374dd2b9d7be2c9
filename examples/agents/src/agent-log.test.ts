import { expect, onTestFinished, test, vi } from "vitest";
import { AgentLog } from "./agent-log.js";
import type { Line } from "./protocol.js";

function makeLog(options: { keep?: number; linesPerSecond?: number; burst?: number }) {
  const clock = { now: 1_000 };
  const told: Line[] = [];
  const log = new AgentLog((line) => told.push(line), { ...options, monotonic: () => clock.now });
  return { clock, told, log, texts: () => told.map(({ text }) => text) };
}

test("[EX3] AgentLog numbers lines from 1 and keeps the last `keep` lines", () => {
  const { log, told } = makeLog({ keep: 2 });
  for (const text of ["a", "b", "c"]) log.write("stdout", text);
  expect(told.map(({ number, text }) => [number, text])).toEqual([
    [1, "a"],
    [2, "b"],
    [3, "c"],
  ]);
  expect(log.lines.map(({ text }) => text)).toEqual(["b", "c"]);
});

test("[EX2] lines above the limit are dropped, and one note says how many", () => {
  const { log, clock, texts } = makeLog({ linesPerSecond: 2, burst: 3 });
  for (let index = 0; index < 10; index++) log.write("stdout", `line ${index}`);
  expect(texts()).toEqual(["line 0", "line 1", "line 2"]);
  clock.now += 1_000;
  log.write("stdout", "later");
  expect(texts().slice(3)).toEqual(["7 lines skipped: more than 2 per second", "later"]);
});

test("[EX2] a program that writes without pause for 10 s gets no more lines through than the burst plus the rate", () => {
  const { log, clock, told } = makeLog({ linesPerSecond: 20, burst: 60 });
  for (let second = 0; second < 10; second++) {
    for (let index = 0; index < 1_000; index++) {
      log.write("stderr", "noise");
      clock.now += 1;
    }
  }
  expect(told.length).toBeLessThanOrEqual(60 + 10 * 20);
  expect(told.length).toBeGreaterThan(10 * 20);
});

test("[EX2] a note of the server is never dropped, and the number of lines dropped before it is reported first", () => {
  const { log, texts } = makeLog({ linesPerSecond: 1, burst: 1 });
  log.write("stdout", "first");
  log.write("stdout", "second");
  log.note("ended with exit code 0");
  expect(texts()).toEqual(["first", "1 line skipped: more than 1 per second", "ended with exit code 0"]);
});

test("[WC12] setting the wall clock does not change how many lines pass the limit", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const told: Line[] = [];
  const log = new AgentLog((line) => told.push(line), { linesPerSecond: 2, burst: 3 });
  for (const byMs of [-3_600_000, 7_200_000]) {
    vi.setSystemTime(Date.now() + byMs);
    for (let index = 0; index < 10; index++) log.write("stdout", `line ${index}`);
    expect(told).toHaveLength(3);
  }
  vi.advanceTimersByTime(1_000);
  log.write("stdout", "later");
  expect(told.at(-1)).toMatchObject({ text: "later", at: new Date() });
});
