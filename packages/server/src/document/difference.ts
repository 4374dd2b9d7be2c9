import type { Patch } from "@holdfast/protocol";
import { shareParts } from "@holdfast/protocol/internal";

type Path = Patch["path"];

/**
 * More than these say less than the document itself; and a message may not hold a list of more than
 * 10,000.
 */
const MOST_PATCHES = 5_000;

/**
 * What makes one document of another: patches in the order in which they are to be applied. The
 * whole of it where that is no longer than the patches; `length` is about what it takes.
 */
export function difference(before: unknown, after: unknown, length = JSON.stringify(after).length): Patch[] {
  if (before === undefined || Array.isArray(before) !== Array.isArray(after))
    return [{ op: before === undefined ? "add" : "replace", path: [], value: after }];
  const patches: Patch[] = [];
  compare(before, shareParts(before, after), [], patches);
  const isShorter = patches.length <= MOST_PATCHES && JSON.stringify(patches).length < length;
  return isShorter || patches.length === 0 ? patches : [{ op: "replace", path: [], value: after }];
}

/** Parts that are equal are the same object already, and are passed over. */
function compare(before: unknown, after: unknown, path: Path, patches: Patch[]): void {
  if (before === after) return;
  if (Array.isArray(before) && Array.isArray(after)) compareLists(before, after, path, patches);
  else if (isObject(before) && isObject(after)) compareMembers(before, after, path, patches);
  else patches.push({ op: "replace", path, value: after });
}

function compareMembers(before: object, after: object, path: Path, patches: Patch[]): void {
  // Members of its own only: `toString` may be the name of somebody who has voted.
  const [old, now] = [
    new Map<string, unknown>(Object.entries(before)),
    new Map<string, unknown>(Object.entries(after)),
  ];
  for (const name of old.keys()) if (!now.has(name)) patches.push({ op: "remove", path: [...path, name] });
  for (const [name, value] of now)
    if (old.has(name)) compare(old.get(name), value, [...path, name], patches);
    else patches.push({ op: "add", path: [...path, name], value });
}

function compareLists(before: readonly unknown[], after: readonly unknown[], path: Path, patches: Patch[]): void {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  const old = before.slice(head, before.length - tail);
  const now = after.slice(head, after.length - tail);

  const places = new Map(namesOf(now).map((name, place) => [name, place]));
  const matches = namesOf(old).map((name) => places.get(name));
  const stays = longestInOrder(matches);
  // From behind, so that no removal moves what is still to be removed; then from the front, for the
  // same reason.
  for (let place = old.length - 1; place >= 0; place--)
    if (!stays.has(place)) patches.push({ op: "remove", path: [...path, head + place] });
  const origins = new Map([...stays].map((place) => [matches[place], place]));
  for (const [place, value] of now.entries())
    if (!origins.has(place)) patches.push({ op: "add", path: [...path, head + place], value });
  for (const [place, origin] of origins) compare(old[origin], now[place!], [...path, head + place!], patches);
}

/**
 * What tells the members of a list apart: their `id`, themselves where they have no members, and
 * otherwise their place. Of several that are called the same, each is called by its number, too.
 */
function namesOf(list: readonly unknown[]): string[] {
  const counts = new Map<string, number>();
  return list.map((item, place) => {
    const name = nameOf(item, place);
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return `${count} ${name}`;
  });
}

function nameOf(item: unknown, place: number): string {
  if (typeof item !== "object" || item === null) return `${typeof item} ${String(item)}`;
  const { id } = item as { readonly id?: unknown };
  return typeof id === "string" || typeof id === "number" ? `id ${id}` : `at ${place}`;
}

/**
 * Which places before have a match after so that as many as possible stay in order: a longest
 * increasing subsequence, in n log n steps. A list may be sorted in a request, and the usual table
 * of n times m would take a gigabyte for it.
 */
function longestInOrder(matches: readonly (number | undefined)[]): Set<number> {
  /**
   * The ends of the runs of 1, 2, 3 … found so far, each with the least match that such a run can
   * end with.
   */
  const ends: number[] = [];
  const befores = new Map<number, number | undefined>();
  for (const [place, match] of matches.entries()) {
    if (match === undefined) continue;
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (matches[ends[middle]!]! < match) low = middle + 1;
      else high = middle;
    }
    befores.set(place, ends[low - 1]);
    ends[low] = place;
  }
  const found = new Set<number>();
  for (let place = ends.at(-1); place !== undefined; place = befores.get(place)) found.add(place);
  return found;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
