import { MAX_STATE_DEPTH, shapeFault } from "../codec/shape.js";
import { type Fault, formatPath } from "../issues.js";
import { isReserved } from "./patches.js";

/**
 * Says why the JSON of a value cannot be a document; undefined if it can. A value that patches
 * cannot change must never become a document.
 */
export function documentFault(data: unknown, root = "document"): Fault | undefined {
  if (typeof data !== "object" || data === null) return faultAt(root, [], "expected an object or a list");
  const sentence = shapeFault(data, MAX_STATE_DEPTH);
  return sentence === undefined ? reservedFault(data, root, []) : faultAt(root, [], sentence);
}

function reservedFault(value: unknown, root: string, path: readonly PropertyKey[]): Fault | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, member] of Object.entries(value) as [string, unknown][]) {
    const isItem = Array.isArray(value);
    const there = [...path, isItem ? Number(name) : name];
    if (!isItem && isReserved(name)) return faultAt(root, there, "has a reserved name");
    const fault = reservedFault(member, root, there);
    if (fault) return fault;
  }
  return undefined;
}

function faultAt(root: string, path: readonly PropertyKey[], sentence: string): Fault {
  const field = formatPath(root, path);
  return { field, message: `${field}: ${sentence}.` };
}
