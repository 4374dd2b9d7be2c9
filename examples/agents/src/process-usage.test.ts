import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { HostUsage } from "./host-usage.js";
import { readUsage } from "./process-usage.js";

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** Runs a script and waits for the first output. */
async function running(script: string, before = ""): Promise<{ child: ChildProcess; pid: number }> {
  const child = spawn(process.execPath, ["-e", `${before}; console.log('up'); ${script}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  await once(child.stdout, "data");
  return { child, pid: child.pid ?? 0 };
}

test("[EX13] readUsage returns the CPU share since the previous reading and the current memory", async () => {
  // The process burns half a second by its own count of CPU time, so a busy machine only prolongs
  // the test. Filling the memory costs CPU time too, so the process fills the memory before it
  // prints "up". The process starts to burn at SIGUSR2.
  const burner = await running(
    `const used = () => process.cpuUsage().user + process.cpuUsage().system;
    process.once('SIGUSR2', () => {
      const until = used() + 500_000;
      while (used() < until);
      console.log('done');
    });
    setInterval(() => {}, 1000);`,
    "globalThis.block = Buffer.alloc(200_000_000, 1)",
  );
  const idler = await running("setInterval(() => {}, 1000)");
  const pids = [burner.pid, idler.pid];
  // The library reads the clock at some moment inside each call. The time between the two readings
  // is therefore at least `least` and at most `most`.
  const beforeFirst = performance.now();
  await readUsage(pids);
  const afterFirst = performance.now();
  burner.child.kill("SIGUSR2");
  await once(burner.child.stdout as NodeJS.ReadableStream, "data");
  const beforeSecond = performance.now();
  const usage = await readUsage(pids);
  const most = (performance.now() - beforeFirst) / 1_000;
  const least = (beforeSecond - afterFirst) / 1_000;

  const share = (usage.get(burner.pid)?.cpuPercent ?? 0) / 100;
  expect(share * most).toBeGreaterThan(0.35);
  expect(share * least).toBeLessThan(0.75);
  expect(usage.get(idler.pid)?.cpuPercent).toBeLessThan(20);
  expect(usage.get(burner.pid)?.memoryBytes).toBeGreaterThan(200_000_000);
  expect(usage.get(idler.pid)?.memoryBytes).toBeLessThan(150_000_000);
});

test("[EX13] readUsage omits a process that has ended and still returns the others", async () => {
  const gone = await running("");
  if (gone.child.exitCode === null) await once(gone.child, "exit");
  expect((await readUsage([gone.pid])).size).toBe(0);
  const alive = await running("setInterval(() => {}, 1000)");
  expect([...(await readUsage([gone.pid, alive.pid])).keys()]).toEqual([alive.pid]);
  expect((await readUsage([])).size).toBe(0);
});

test("[EX13] HostUsage returns plausible shares and sizes", () => {
  const host = new HostUsage().read();
  expect(host.cores).toBeGreaterThan(0);
  expect(host.cpuPercent).toBeGreaterThanOrEqual(0);
  expect(host.cpuPercent).toBeLessThanOrEqual(100);
  expect(host.memoryUsedBytes).toBeGreaterThan(0);
  expect(host.memoryUsedBytes).toBeLessThan(host.memoryTotalBytes);
});
