import { type CpuInfo, cpus, freemem, loadavg, totalmem } from "node:os";
import type { Sample } from "./protocol.js";

/**
 * Reads the load of the whole machine. Stores the previous reading, because the system only gives
 * totals since its start.
 */
export class HostUsage {
  #before = total(cpus());

  read(): Sample["host"] {
    const cores = cpus();
    const now = total(cores);
    const elapsed = now.all - this.#before.all;
    const idle = now.idle - this.#before.idle;
    this.#before = now;
    return {
      cpuPercent: elapsed > 0 ? Math.round(1_000 * (1 - idle / elapsed)) / 10 : 0,
      cores: cores.length,
      load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
      memoryUsedBytes: totalmem() - freemem(),
      memoryTotalBytes: totalmem(),
    };
  }
}

function total(cores: readonly CpuInfo[]): { all: number; idle: number } {
  let all = 0;
  let idle = 0;
  for (const { times } of cores) {
    all += times.user + times.nice + times.sys + times.idle + times.irq;
    idle += times.idle;
  }
  return { all, idle };
}
