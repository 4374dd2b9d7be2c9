import type { Schema } from "./schema.js";
import { bare } from "./schema-parts.js";
import { typesOf } from "./schema-types.js";

/**
 * Two schemas that are applied to one value. A pipe gives what its second schema gives, and the other side parses that with
 * the first one again. An intersection applies both and merges the results.
 */

/** Why the first schema of a pipe does not read what the second one gives; undefined if it does. */
export function pipeFault(first: Schema, second: Schema): string | undefined {
  return clash(first, second, [], 0);
}

/** Levels that are compared. Pipes of recursive schemas end here. */
const MAX_LEVELS = 32;

function clash(first: Schema, second: Schema, path: readonly string[], level: number): string | undefined {
  const [input, output] = [bare(first), bare(second)];
  if (input === output || level === MAX_LEVELS || ("coerce" in input._zod.def && input._zod.def.coerce))
    return undefined;
  const taken = typesOf(first);
  if (taken.has("any")) return undefined;
  const mayBeLeftOut = first._zod.optin !== undefined;
  const other = [...typesOf(second)].find((type) => !taken.has(type) && !(type === "undefined" && mayBeLeftOut));
  const where = path.length > 0 ? ` at ${path.join(".")}` : "";
  if (other !== undefined)
    return `is a pipe that turns ${[...taken].join(" or ")} into ${other}${where}, on one side only; declare the second schema`;
  const [one, two] = [input._zod.def, output._zod.def];
  if (one.type === "array" && two.type === "array")
    return clash(one.element as Schema, two.element as Schema, [...path, "(item)"], level + 1);
  if (one.type !== "object" || two.type !== "object") return undefined;
  for (const [key, field] of Object.entries(one.shape)) {
    const given = two.shape[key];
    if (!given && !two.catchall && field._zod.optin === undefined)
      return `is a pipe that takes ${[...path, key].join(".")} away, which the other side needs; declare the second schema`;
    const fault = given && clash(field as Schema, given as Schema, [...path, key], level + 1);
    if (fault) return fault;
  }
  return undefined;
}

/** zod makes a new value of each of these and cannot merge two of them. */
const UNMERGEABLE = ["map", "set", "nan"];

/** Why the results of both sides of an intersection cannot be merged; undefined if they can. */
export function intersectionFault(left: Schema, right: Schema, level = 0): string | undefined {
  const [one, two] = [typesOf(left), typesOf(right)];
  const common = UNMERGEABLE.find(
    (type) => (one.has(type) && (two.has(type) || two.has("any"))) || (two.has(type) && one.has("any")),
  );
  if (common) return `intersects a ${common} with another schema, which zod cannot merge; declare one z.${common}()`;
  const [first, second] = [bare(left)._zod.def, bare(right)._zod.def];
  if (first.type !== "object" || second.type !== "object" || level === MAX_LEVELS) return undefined;
  for (const key of new Set([...Object.keys(first.shape), ...Object.keys(second.shape)])) {
    const [a, b] = [first.shape[key] ?? first.catchall, second.shape[key] ?? second.catchall];
    const fault = a && b && intersectionFault(a as Schema, b as Schema, level + 1);
    if (fault) return fault;
  }
  return undefined;
}
