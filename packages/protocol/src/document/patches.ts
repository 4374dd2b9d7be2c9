import { MAX_STATE_DEPTH, shapeFault } from "../codec/shape.js";

/**
 * One change of a document, as in RFC 6902 without `move`, `copy` and `test`. The path is split
 * into its parts.
 */
export interface Patch {
  readonly op: "add" | "replace" | "remove";
  readonly path: readonly (string | number)[];
  readonly value?: unknown;
}

/**
 * True for names that lead to prototypes, which all objects share. No patch and no document may
 * contain such a name.
 */
export function isReserved(name: string | number): boolean {
  return name === "__proto__" || name === "prototype" || name === "constructor";
}

/**
 * Applies patches to a document and returns the result. Parts that the patches do not touch are the
 * same objects as before. The given document is not changed.
 *
 * @throws Error about the first patch that cannot be applied; then none of the patches is applied
 */
export function applyPatches(document: unknown, patches: readonly Patch[]): unknown {
  /** The copies that this call has made and may therefore change. */
  const own = new Set<unknown>();

  const owned = (holder: unknown): Record<string | number, unknown> => {
    if (typeof holder !== "object" || holder === null) throw new Error("leads into a value without members");
    if (own.has(holder)) return holder as Record<string, unknown>;
    const copy = Array.isArray(holder) ? [...(holder as unknown[])] : { ...holder };
    own.add(copy);
    return copy as Record<string, unknown>;
  };

  const change = (holder: unknown, { op, path, value }: Patch, depth: number): unknown => {
    const copy = owned(holder);
    const name = path[depth]!;
    const isLast = depth === path.length - 1;
    if (Array.isArray(copy)) {
      const most = isLast && op === "add" ? copy.length : copy.length - 1;
      if (!Number.isInteger(name) || (name as number) < 0 || (name as number) > most)
        throw new Error("names a missing index");
    } else {
      if (typeof name !== "string" || isReserved(name)) throw new Error("names no valid member");
      if (!(isLast && op === "add") && !Object.hasOwn(copy, name)) throw new Error("names a missing member");
    }
    if (!isLast) copy[name] = change(copy[name], { op, path, value }, depth + 1);
    else if (Array.isArray(copy) && op !== "replace") {
      if (op === "add") copy.splice(name as number, 0, value);
      else copy.splice(name as number, 1);
    } else if (op === "remove") delete copy[name];
    else copy[name] = value;
    return copy;
  };

  let result = document;
  for (const patch of patches) {
    const { op, path, value } = patch;
    if (path.length > MAX_STATE_DEPTH) throw new Error("names a place that is too deep");
    if (op !== "remove" && value === undefined) throw new Error("has no value");
    const fault = shapeFault(value, MAX_STATE_DEPTH - path.length);
    if (fault) throw new Error(fault);
    if (path.length > 0) result = change(result, patch, 0);
    else result = op === "remove" ? undefined : value;
  }
  return result;
}
