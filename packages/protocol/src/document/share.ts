/**
 * Returns `next`, but reuses every part of `previous` that is equal to the part at the same path;
 * if nothing differs, the result is `previous` itself. Items of a list that have an `id` are
 * matched by `id`, even if they have moved. So code that compares by identity sees only real
 * changes. Neither argument is changed, and their parts may be frozen.
 */
export function shareParts(previous: unknown, next: unknown): unknown {
  if (typeof next !== "object" || next === null) return next;
  const kind = kindOf(next);
  if (kind !== kindOf(previous)) return next;
  switch (kind) {
    case "Array":
      return shareList(previous as unknown[], next as unknown[]);
    case "Object":
      return shareMembers(previous as Record<string, unknown>, next as Record<string, unknown>);
    case "Map": {
      const before = previous as Map<unknown, unknown>;
      const after = next as Map<unknown, unknown>;
      // Keys are shared first, because two equal Dates are two different keys.
      const keys = shareList([...before.keys()], [...after.keys()]);
      const values = [...after.values()].map((value, index) => shareParts(before.get(keys[index]), value));
      const isSame =
        before.size === after.size &&
        [...before].every(([key, value], index) => Object.is(key, keys[index]) && Object.is(value, values[index]));
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
  // Holds the previous items that are no longer at their index. Items that share an id are matched
  // by index.
  const moved = new Map<unknown, unknown>();
  previous.forEach((item, index) => {
    const id = idOf(item);
    if (id !== undefined && !Object.is(id, idOf(next[index]))) moved.set(id, item);
  });
  const counterpart = (item: unknown, index: number): unknown => {
    const id = idOf(item);
    const there = previous[index];
    if (Object.is(id, idOf(there)) || !moved.has(id)) return there;
    const found = moved.get(id);
    // Each item is matched once, so that two equal members of a set remain two members.
    moved.delete(id);
    return found;
  };
  const shared = next.map((item, index) => shareParts(counterpart(item, index), item));
  return shared.length === previous.length && shared.every((item, index) => Object.is(item, previous[index]))
    ? previous
    : shared;
}

function shareMembers(previous: Record<string, unknown>, next: Record<string, unknown>): object {
  const names = Object.keys(next);
  let isSame = names.length === Object.keys(previous).length;
  const members = names.map((name) => {
    const isThere = Object.hasOwn(previous, name);
    const member = shareParts(isThere ? previous[name] : undefined, next[name]);
    isSame &&= isThere && Object.is(member, previous[name]);
    return [name, member] as const;
  });
  return isSame ? previous : Object.fromEntries(members);
}

function idOf(item: unknown): string | number | undefined {
  const id = (item as { readonly id?: unknown } | null | undefined)?.id;
  return typeof id === "string" || typeof id === "number" ? id : undefined;
}

function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
