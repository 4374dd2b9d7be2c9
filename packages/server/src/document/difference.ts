import type { Patch } from "@holdfast/protocol";
import { shareParts } from "@holdfast/protocol/internal";

type Path = Patch["path"];

/**
 * If there are more patches, the whole document is sent instead, which is cheaper. A message must
 * also not contain a list of more than 10,000 items.
 */
const MOST_PATCHES = 5_000;

/**
 * The patches that turn `before` into `after`, in the order in which they must be applied. If the
 * whole document is not longer than the patches, a single patch replaces it. `length` is the
 * approximate length of the document's JSON.
 */
export function difference(before: unknown, after: unknown, length = JSON.stringify(after).length): Patch[] {
  if (before === undefined || Array.isArray(before) !== Array.isArray(after))
    return [{ op: before === undefined ? "add" : "replace", path: [], value: after }];
  const patches: Patch[] = [];
  compare(before, shareParts(before, after), [], patches);
  const isShorter = patches.length <= MOST_PATCHES && JSON.stringify(patches).length < length;
  return isShorter || patches.length === 0 ? patches : [{ op: "replace", path: [], value: after }];
}

/** `shareParts` has made equal parts the same object, so they are skipped. */
function compare(before: unknown, after: unknown, path: Path, patches: Patch[]): void {
  if (before === after) return;
  if (Array.isArray(before) && Array.isArray(after)) compareLists(before, after, path, patches);
  else if (isObject(before) && isObject(after)) compareMembers(before, after, path, patches);
  else patches.push({ op: "replace", path, value: after });
}

function compareMembers(before: object, after: object, path: Path, patches: Patch[]): void {
  // Maps contain only own members. A document may have a member named `toString`.
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
  // Removals go from the end to the start, so that no removal moves items that are still to be
  // removed. Additions go from the start to the end, so that each item is added at its final index.
  for (let place = old.length - 1; place >= 0; place--)
    if (!stays.has(place)) patches.push({ op: "remove", path: [...path, head + place] });
  const origins = new Map([...stays].map((place) => [matches[place], place]));
  for (const [place, value] of now.entries())
    if (!origins.has(place)) patches.push({ op: "add", path: [...path, head + place], value });
  for (const [place, origin] of origins) compare(old[origin], now[place!], [...path, head + place!], patches);
}

/**
 * Names that identify the items of a list: the `id` of an object, a primitive value itself, and
 * otherwise the index. Items with the same name are also numbered.
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
 * The indexes of old items that can stay in place: a longest increasing subsequence of their new
 * indexes, in n log n steps. A handler may sort a list, and the n × m table of the usual algorithm
 * would take a gigabyte for a long list.
 */
function longestInOrder(matches: readonly (number | undefined)[]): Set<number> {
  /**
   * For each length from 1, the index of the last item of the best run of this length: the run
   * whose last match is lowest.
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
