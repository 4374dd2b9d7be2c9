import { MAX_STATE_DEPTH, shapeFault } from "../codec/shape.js";
import { isReserved } from "./patches.js";

/** Why the JSON of a value cannot be a document; undefined: it can. What cannot be patched must not get there. */
export function documentFault(data: unknown): string | undefined {
  if (typeof data !== "object" || data === null) return "expected an object or a list";
  return shapeFault(data, MAX_STATE_DEPTH) ?? reservedFault(data);
}

function reservedFault(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const found = Array.isArray(value) ? undefined : Object.keys(value).find(isReserved);
  if (found) return `holds a member called ${found}, which no document may`;
  for (const member of Object.values(value) as unknown[]) {
    const fault = reservedFault(member);
    if (fault) return fault;
  }
  return undefined;
}
