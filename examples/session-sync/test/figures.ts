/** The middle one of what was measured, and the greatest. Milliseconds. */
export interface Figures {
  readonly median: number;
  readonly worst: number;
}

export function figures(measured: readonly number[]): Figures {
  const sorted = [...measured].sort((one, other) => one - other);
  return { median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN, worst: sorted.at(-1) ?? Number.NaN };
}

/** For whoever runs the tests to read. */
export function tell(what: string, { median, worst }: Figures): void {
  console.log(`${what}: median ${median.toFixed(1)} ms, worst ${worst.toFixed(1)} ms`);
}
