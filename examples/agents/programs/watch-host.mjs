import { cpus, freemem, loadavg, totalmem } from "node:os";
import { setTimeout as rest } from "node:timers/promises";
import { parseArgs } from "node:util";
import { bytes } from "./work.mjs";

/** Reads the load of each core and draws the load as a bar. */

const { values } = parseArgs({ options: { every: { type: "string", default: "1000" } } });
const BAR = " ▁▂▃▄▅▆▇█";

let before = cpus();
for (;;) {
  await rest(Number(values.every));
  const now = cpus();
  const bars = now.map((core, index) => BAR[Math.round(busyShare(before[index], core) * (BAR.length - 1))]).join("");
  const load = loadavg().map((average) => average.toFixed(2));
  console.log(
    `cores [${bars}]  load ${load.join(" ")}  memory ${bytes(totalmem() - freemem())} of ${bytes(totalmem())}`,
  );
  before = now;
}

function busyShare(earlier, later) {
  if (!earlier) return 0;
  const idle = later.times.idle - earlier.times.idle;
  const total = sum(later.times) - sum(earlier.times);
  return total > 0 ? 1 - idle / total : 0;
}

function sum(times) {
  return times.user + times.nice + times.sys + times.idle + times.irq;
}
