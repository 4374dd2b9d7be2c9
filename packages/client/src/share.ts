/**
 * `next`, with every part that equals the part of `previous` at the same place replaced by it; all of it, where nothing
 * differs. So who compares by identity sees what changed and nothing else. Neither is changed: parts may be frozen.
 */
export function share(previous: unknown, next: unknown): unknown {
  const kind = kindOf(next);
  if (kind !== kindOf(previous)) return next;
  switch (kind) {
    case "Array":
      return shareList(previous as unknown[], next as unknown[]);
    case "Object":
      return shareMembers(previous as object, next as object);
    case "Map": {
      const before = previous as Map<unknown, unknown>;
      const after = next as Map<unknown, unknown>;
      // Keys first: two dates that are equal are two keys.
      const keys = shareList([...before.keys()], [...after.keys()]);
      const values = [...after.values()].map((value, index) => share(before.get(keys[index]), value));
      const isSame =
        before.size === after.size &&
        [...before].every(([key, value], index) => key === keys[index] && value === values[index]);
      return isSame ? before : new Map(keys.map((key, index) => [key, values[index]]));
    }
    case "Set": {
      const before = [...(previous as Set<unknown>)];
      const items = shareList(before, [...(next as Set<unknown>)]);
      return items === before ? previous : new Set(items);
    }
    case "Date":
      return Object.is(Number(previous), Number(next)) ? previous : next;
    default:
      return next;
  }
}

function shareList(previous: unknown[], next: unknown[]): unknown[] {
  const shared = next.map((item, index) => share(previous[index], item));
  return shared.length === previous.length && shared.every((item, index) => Object.is(item, previous[index]))
    ? previous
    : shared;
}

function shareMembers(previous: object, next: object): object {
  const before = new Map<string, unknown>(Object.entries(previous));
  const shared = Object.entries(next).map(([name, member]) => [name, share(before.get(name), member)] as const);
  const isSame =
    shared.length === before.size &&
    shared.every(([name, member]) => before.has(name) && Object.is(member, before.get(name)));
  return isSame ? previous : Object.fromEntries(shared);
}

function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
