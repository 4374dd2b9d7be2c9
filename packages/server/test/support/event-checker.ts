import type { Seen } from "./recording-app.js";

/** An event that the store accepted at some time. */
export interface Accepted {
  readonly number: number;
  /** The number of the previous event, or undefined for the first event of an epoch. */
  readonly prev: number | undefined;
  /** When `publish` was called. */
  readonly publishedAt: number;
}

/**
 * Compares the events that an application received on a channel with all events that the store ever
 * accepted, on any branch of its history. Returns the guarantees that were violated.
 *
 * Joining and each reset are a start. From one start to the next, each event must directly follow
 * the previous one on the same branch: this covers order, gaps, duplicates and unreported forks.
 * No event that was published after a start may be missing.
 */
export function checkEvents(seen: readonly Seen[], truth: ReadonlyMap<number, Accepted>): string[] {
  const broken: string[] = [];
  let heard = new Set<number>();
  /** Events received since the last reset. A reloaded page does not remember earlier events. */
  let heardSince = new Set<number>();
  /** The previous event, or undefined after a start. */
  let previous: Accepted | undefined;
  let since = Number.POSITIVE_INFINITY;
  for (const what of seen) {
    if (what.kind === "loaded") {
      heard = new Set(heardSince);
      continue;
    }
    if (what.kind !== "event") {
      if (what.kind === "reset") heardSince = new Set();
      // Joining again is a new start: an instance that lags may still deliver an event published
      // just before.
      if (what.kind === "left") heard = heardSince = new Set();
      previous = undefined;
      since = what.kind === "left" ? Number.POSITIVE_INFINITY : what.at;
      continue;
    }
    const event = truth.get(what.number);
    if (!event) {
      broken.push(`${what.number} was received, but the store never accepted it`);
      continue;
    }
    if (heard.has(event.number)) broken.push(`${event.number} was received twice`);
    heard.add(event.number);
    heardSince.add(event.number);
    if (previous) {
      if (event.prev !== previous.number)
        broken.push(`${event.number} was received after ${previous.number}, but follows ${event.prev ?? "no event"}`);
    } else {
      for (let before = event.prev; before !== undefined; before = truth.get(before)!.prev)
        if (truth.get(before)!.publishedAt > since)
          broken.push(`${before} was not received, but was published after joining and before ${event.number}`);
    }
    previous = event;
  }
  return broken;
}

/** The last event received must be the last event of the store, without a later reset. */
export function checkEnd(seen: readonly Seen[], last: number): string[] {
  const end = seen.at(-1);
  if (end?.kind === "event" && end.number === last) return [];
  return [`expected ${last} as the last event, received ${JSON.stringify(end)}`];
}
