import { expect, test } from "vitest";
import type { Sample } from "../protocol.js";
import { bands, stretches, ticks } from "./stack.js";

const sample = (second: number, ...cpu: number[]): Sample => ({
  at: new Date(second * 1_000),
  host: { cpuPercent: 0, cores: 1, load: 0, memoryUsedBytes: 0, memoryTotalBytes: 1 },
  server: { connections: 1, deliveriesPerSecond: 0 },
  agents: cpu.map((cpuPercent, index) => ({ agentId: "ab".charAt(index), cpuPercent, memoryBytes: 10 * cpuPercent })),
});

test("[EX22] stretches splits the samples where the page was not connected, so the chart has a gap there", () => {
  const samples = [sample(1), sample(2), sample(9), sample(10)];
  expect(stretches(samples, 0).map((stretch) => stretch.length)).toEqual([2, 2]);
  expect(stretches(samples, 9_500).map((stretch) => stretch.length)).toEqual([1]);
});

test("[EX22] bands stacks each agent on the agent below, for the samples that contain the agent", () => {
  expect(bands([sample(1, 10), sample(2, 10, 5)], ["a", "b"], "cpu")).toEqual([
    [
      { at: 1_000, low: 0, high: 10 },
      { at: 2_000, low: 0, high: 10 },
    ],
    [{ at: 2_000, low: 10, high: 15 }],
  ]);
  expect(bands([sample(1, 10)], ["a"], "memory")).toEqual([[{ at: 1_000, low: 0, high: 100 }]]);
});

test("[EX22] ticks returns at most five round marks, and the last is at least the highest value", () => {
  expect(ticks(100)).toEqual([0, 50, 100]);
  expect(ticks(37)).toEqual([0, 10, 20, 30, 40]);
  for (const highest of [0.3, 1, 7, 99, 101, 1_234, 250_000_000]) {
    expect(ticks(highest).at(-1)).toBeGreaterThanOrEqual(highest);
    expect(ticks(highest).length).toBeLessThanOrEqual(5);
  }
});
