import { type Patch, shareParts } from "@holdfast/protocol";
import { type ArrayDelta, create, type Delta, type ObjectDelta } from "jsondiffpatch";

/** Members of lists are told apart by their `id`, where they have one; otherwise by their place. */
const differ = create({
  objectHash: (item, index) => {
    const { id } = (item ?? {}) as { readonly id?: unknown };
    return typeof id === "string" || typeof id === "number" ? `id ${id}` : `at ${index}`;
  },
  arrays: { detectMove: false },
  cloneDiffValues: false,
  omitRemovedValues: true,
});

/**
 * What makes one document of another: patches in the order in which they are to be applied. The whole of it where that is no
 * longer than the patches; `length` is about what it takes.
 */
export function difference(before: unknown, after: unknown, length = JSON.stringify(after).length): Patch[] {
  if (before === undefined || Array.isArray(before) !== Array.isArray(after))
    return [{ op: before === undefined ? "add" : "replace", path: [], value: after }];
  const patches: Patch[] = [];
  // What is the same object is passed over, and that is nearly all of it: otherwise each member would be a step of the library.
  collect(differ.diff(before, shareParts(before, after)), [], patches);
  const isShorter = JSON.stringify(patches).length < length;
  return isShorter || patches.length === 0 ? patches : [{ op: "replace", path: [], value: after }];
}

function collect(delta: Delta, path: Patch["path"], patches: Patch[]): void {
  if (delta === undefined) return;
  if (!Array.isArray(delta)) {
    if (isOfList(delta)) return collectList(delta, path, patches);
    for (const [name, member] of Object.entries(delta as ObjectDelta)) collect(member, [...path, name], patches);
    return;
  }
  // [new], [old, new] and [old, 0, 0]; the others are of moves and of texts, which are not asked for.
  const [, value] = delta as readonly unknown[];
  if (delta.length === 1) patches.push({ op: "add", path, value: delta[0] });
  else if (delta.length === 2) patches.push({ op: "replace", path, value });
  else patches.push({ op: "remove", path });
}

/** `_3` is what was taken out from the third place before, `3` what has come to it, or has changed there, after that. */
function collectList(delta: ArrayDelta, path: Patch["path"], patches: Patch[]): void {
  const names = Object.keys(delta).filter((name) => name !== "_t");
  const places = (are: (name: string) => boolean): number[] =>
    names
      .filter(are)
      .map((name) => Number(name.replace("_", "")))
      .sort((one, other) => one - other);
  // From behind, so that no removal moves what is still to be removed; then from the front, for the same reason.
  for (const place of places((name) => name.startsWith("_")).reverse())
    patches.push({ op: "remove", path: [...path, place] });
  const isNew = (place: number): boolean => {
    const member = delta[place];
    return Array.isArray(member) && member.length === 1;
  };
  const found = places((name) => !name.startsWith("_"));
  for (const place of found.filter(isNew)) collect(delta[place], [...path, place], patches);
  for (const place of found.filter((other) => !isNew(other))) collect(delta[place], [...path, place], patches);
}

function isOfList(delta: object): delta is ArrayDelta {
  return (delta as { readonly _t?: unknown })._t === "a";
}
