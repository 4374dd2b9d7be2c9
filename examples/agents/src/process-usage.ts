import pidusage from "pidusage";

export interface ProcessUsage {
  /** CPU usage since the last reading, in percent. 100 is one fully busy core. */
  readonly cpuPercent: number;
  readonly memoryBytes: number;
}

/**
 * Reads the current usage of processes. The pidusage library asks the operating system: /proc on
 * Linux, `ps` elsewhere. Processes that have ended meanwhile are missing from the result.
 */
export async function readUsage(pids: readonly number[]): Promise<Map<number, ProcessUsage>> {
  const usage = new Map<number, ProcessUsage>();
  if (pids.length === 0) return usage;
  try {
    const figures = await pidusage([...pids]);
    for (const pid of pids) {
      // The types promise a figure for each pid, but a process that has just ended has no figure.
      const figure = figures[pid] as pidusage.Status | undefined;
      if (figure) usage.set(pid, { cpuPercent: round(figure.cpu), memoryBytes: figure.memory });
    }
  } catch {
    // If all processes have ended, the library reports an error.
  }
  return usage;
}

function round(percent: number): number {
  return Math.round(percent * 10) / 10;
}
