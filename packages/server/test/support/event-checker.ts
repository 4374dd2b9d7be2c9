import type { Seen } from "./recording-app.js";

/** An event that a store accepted, some time. */
export interface Accepted {
  readonly number: number;
  /** The number of the one before it; undefined for the first of an epoch. */
  readonly prev: number | undefined;
  /** When `publish` was called. */
  readonly publishedAt: number;
}

/**
 * Compares what an application saw of a channel with everything that the store ever accepted, on
 * whatever branch of its history. Returns the promises that were broken.
 *
 * Between a beginning (joining, or a reset) and the next, events have to be links of one chain,
 * without a hole: that is order, no gap, no repetition and no silent change of branch in one. After
 * a beginning nothing may be missing that was published since.
 */
export function checkEvents(seen: readonly Seen[], truth: ReadonlyMap<number, Accepted>): string[] {
  const broken: string[] = [];
  let heard = new Set<number>();
  /**
   * Since the last reset. What was heard before it, a page that is loaded anew does not remember.
   */
  let heardSince = new Set<number>();
  /** The event before; undefined at a beginning. */
  let previous: Accepted | undefined;
  let since = Number.POSITIVE_INFINITY;
  for (const what of seen) {
    if (what.kind === "loaded") {
      heard = new Set(heardSince);
      continue;
    }
    if (what.kind !== "event") {
      if (what.kind === "reset") heardSince = new Set();
      // Joining anew is a beginning of its own: an instance that lags may tell what was published a
      // moment before.
      if (what.kind === "left") heard = heardSince = new Set();
      previous = undefined;
      since = what.kind === "left" ? Number.POSITIVE_INFINITY : what.at;
      continue;
    }
    const event = truth.get(what.number);
    if (!event) {
      broken.push(`${what.number} was heard, and no store ever had it`);
      continue;
    }
    if (heard.has(event.number)) broken.push(`${event.number} was heard twice`);
    heard.add(event.number);
    heardSince.add(event.number);
    if (previous) {
      if (event.prev !== previous.number)
        broken.push(`${event.number} was heard after ${previous.number}, and follows ${event.prev ?? "nothing"}`);
    } else {
      for (let before = event.prev; before !== undefined; before = truth.get(before)!.prev)
        if (truth.get(before)!.publishedAt > since)
          broken.push(`${before} was not heard, though it was published after joining and before ${event.number}`);
    }
    previous = event;
  }
  return broken;
}

/** What was heard last has to be where the store stands, without a reset since. */
export function checkEnd(seen: readonly Seen[], last: number): string[] {
  const end = seen.at(-1);
  if (end?.kind === "event" && end.number === last) return [];
  return [`the last that was seen is ${JSON.stringify(end)}, and not ${last}`];
}
