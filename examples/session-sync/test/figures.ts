/** The median and the greatest of several measurements. Milliseconds. */
export interface Figures {
  readonly median: number;
  readonly worst: number;
}

export function figures(measured: readonly number[]): Figures {
  const sorted = [...measured].sort((one, other) => one - other);
  return { median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN, worst: sorted.at(-1) ?? Number.NaN };
}

/** Prints the figures for people who run the tests. */
export function tell(what: string, { median, worst }: Figures): void {
  console.log(`${what}: median ${median.toFixed(1)} ms, worst ${worst.toFixed(1)} ms`);
}
