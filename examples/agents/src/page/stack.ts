import type { Sample } from "../protocol.js";

/** Computes the chart: the position of each value, independent of pixels. */

export type Measure = "cpu" | "memory";

/**
 * Samples that are further apart are not joined by a line, because the page was disconnected in
 * between and has no values for that time.
 */
const GAP_MS = 3_500;

/** Splits the samples into stretches without gaps, oldest first. */
export function stretches(samples: readonly Sample[], from: number): Sample[][] {
  const result: Sample[][] = [];
  let before: number | undefined;
  for (const sample of samples) {
    const at = sample.at.getTime();
    if (at < from) continue;
    if (before === undefined || at - before > GAP_MS) result.push([]);
    result.at(-1)?.push(sample);
    before = at;
  }
  return result;
}

/** Undefined if the sample does not contain the agent, because the agent was not running. */
export function valueOf(sample: Sample, agentId: string, measure: Measure): number | undefined {
  const usage = sample.agents.find((entry) => entry.agentId === agentId);
  return usage && (measure === "cpu" ? usage.cpuPercent : usage.memoryBytes);
}

/** A point on the edge of a band. */
export interface BandPoint {
  readonly at: number;
  readonly low: number;
  readonly high: number;
}

/** The lower and upper edge of each agent's band while the agent runs, from bottom to top. */
export function bands(samples: readonly Sample[], agentIds: readonly string[], measure: Measure): BandPoint[][] {
  const heights = samples.map(() => 0);
  return agentIds.map((agentId) =>
    samples.flatMap((sample, index) => {
      const value = valueOf(sample, agentId, measure);
      if (value === undefined) return [];
      const low = heights[index] ?? 0;
      heights[index] = low + value;
      return [{ at: sample.at.getTime(), low, high: low + value }];
    }),
  );
}

/**
 * The marks of a scale from 0 to at least `highest`: at most five, at 1, 2 or 5 times a power of
 * ten.
 */
export function ticks(highest: number): number[] {
  const rough = highest / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? 10 * power;
  const marks = [0];
  while ((marks.at(-1) ?? 0) < highest) marks.push(step * marks.length);
  return marks;
}
