import { setTimeout as sleep } from "node:timers/promises";

/** Stands in for a database query that takes a while and can be aborted. */
export async function findReports(titles: ReadonlyMap<string, string>, text: string, signal: AbortSignal) {
  await sleep(100, undefined, { signal });
  return [...titles].filter(([, title]) => title.includes(text)).map(([id, title]) => ({ id, title }));
}
