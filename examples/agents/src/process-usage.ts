import pidusage from "pidusage";

export interface ProcessUsage {
  /** Since the process was last asked about; 100 is one core kept fully busy. */
  readonly cpuPercent: number;
  readonly memoryBytes: number;
}

/**
 * What processes use right now, as the operating system accounts for it: /proc on Linux, `ps`
 * elsewhere (the pidusage library knows the ways). A process that ended in the meantime is missing
 * from the answer.
 */
export async function readUsage(pids: readonly number[]): Promise<Map<number, ProcessUsage>> {
  const usage = new Map<number, ProcessUsage>();
  if (pids.length === 0) return usage;
  try {
    const figures = await pidusage([...pids]);
    for (const pid of pids) {
      // The types promise a figure for each pid; for one that has just ended there is none.
      const figure = figures[pid] as pidusage.Status | undefined;
      if (figure) usage.set(pid, { cpuPercent: round(figure.cpu), memoryBytes: figure.memory });
    }
  } catch {
    // All of them have ended: the library calls that an error.
  }
  return usage;
}

function round(percent: number): number {
  return Math.round(percent * 10) / 10;
}
