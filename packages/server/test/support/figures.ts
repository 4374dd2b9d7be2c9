import { appendFileSync } from "node:fs";

/** What a test has measured, for whoever reads the report of `npm run test:faults`. */
export function reportFigures(test: string, values: Record<string, number | string>): void {
  const file = process.env["HOLDFAST_FIGURES"];
  if (file) appendFileSync(file, `${JSON.stringify({ test, ...values })}\n`);
}

/** The value below which so much of them lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
