import { appendFileSync } from "node:fs";

/**
 * Appends measured values to the file in HOLDFAST_FIGURES, from which `npm run test:faults` builds
 * its report.
 */
export function reportFigures(test: string, values: Record<string, number | string>): void {
  const file = process.env["HOLDFAST_FIGURES"];
  if (file) appendFileSync(file, `${JSON.stringify({ test, ...values })}\n`);
}

/** The value below which the given share (0 to 1) of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
