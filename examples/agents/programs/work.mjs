import { opendir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as rest } from "node:timers/promises";

/**
 * Shared by the programs: finding files, and working in bursts so that the machine stays
 * responsive.
 */

const SKIPPED = new Set([".git", "dist", "coverage"]);

/**
 * Yields every file below a folder. Files and folders that vanish or cannot be read are skipped.
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

/** Files that the project's authors wrote, without dependencies. */
export const ownSources = { into: (name) => name !== "node_modules" };

/**
 * Returns a function to await between two pieces of work. After a burst of `busyMs` the function
 * calls `report` and rests for `restMs`. The pause depends on time and not on the number of pieces,
 * because the sizes of pieces differ by a factor of a thousand.
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
