import { opendir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as rest } from "node:timers/promises";

/**
 * What the programs share: finding files, and working in bursts so that the machine stays pleasant
 * to use.
 */

const SKIPPED = new Set([".git", "dist", "coverage"]);

/**
 * Every file below a folder, one at a time; folders and files that vanish or may not be read are
 * passed over.
 */
export async function* files(folder, { into = () => true } = {}) {
  let entries;
  try {
    entries = await opendir(folder);
  } catch {
    return;
  }
  for await (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name) && into(entry.name)) yield* files(path, { into });
    } else if (entry.isFile()) yield path;
  }
}

/** Away from the dependencies: what people of the project wrote. */
export const ownSources = { into: (name) => name !== "node_modules" };

/**
 * Returns a function to await between two pieces of work: once a burst has lasted `busyMs` it rests
 * for `restMs`, and calls `report` first. A pause by the clock, not by counting pieces, because
 * pieces differ a thousandfold in size.
 */
export function pace({ busyMs, restMs, report = () => {} }) {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < busyMs) return;
    report();
    await rest(restMs);
    since = performance.now();
  };
}

export const count = (number) => number.toLocaleString("en-GB");

export function bytes(number) {
  const units = ["B", "kB", "MB", "GB"];
  let unit = 0;
  while (number >= 1000 && unit < units.length - 1) {
    number /= 1000;
    unit++;
  }
  return `${unit === 0 ? number : number.toFixed(1)} ${units[unit]}`;
}
