import type * as core from "zod/v4/core";
import type { Schema } from "./schema.js";
import { bare, identityOf, mayBeLeftOut } from "./schema-parts.js";
import { typesOf } from "./schema-types.js";

/**
 * Checks the two schemas of a pipe and of an intersection, which apply to one value. A pipe returns
 * the output of its second schema, and the other side parses that output with the first schema
 * again. An intersection applies both schemas and merges their results.
 */

/**
 * Says why the first schema of a pipe cannot read the output of the second; undefined if it can.
 */
export function pipeFault(first: Schema, second: Schema): string | undefined {
  return clash(first, second, [], new Map());
}

function clash(first: Schema, second: Schema, path: readonly string[], compared: Compared): string | undefined {
  const [input, output] = [bare(first), bare(second)];
  if (input === output || ("coerce" in input._zod.def && input._zod.def.coerce)) return undefined;
  const taken = typesOf(first);
  if (taken.has("any")) return undefined;
  const isOptional = mayBeLeftOut(first);
  const other = [...typesOf(second)].find((type) => !taken.has(type) && !(type === "undefined" && isOptional));
  const where = path.length > 0 ? ` at ${path.join(".")}` : "";
  if (other !== undefined)
    return `is a pipe that turns ${[...taken].join(" or ")} into ${other}${where}, so the other side cannot parse the result; declare only the second schema`;
  if (isKnown(input, output, compared)) return undefined;
  const [one, two] = [input._zod.def, output._zod.def];
  if (one.type === "array" && two.type === "array")
    return clash(one.element as Schema, two.element as Schema, [...path, "(item)"], compared);
  if (one.type !== "object" || two.type !== "object") return undefined;
  for (const [key, field] of Object.entries(one.shape)) {
    const given = two.shape[key];
    if (!given && !two.catchall && !mayBeLeftOut(field))
      return `is a pipe that removes ${[...path, key].join(".")}, which the other side needs; declare only the second schema`;
    const fault = given && clash(field as Schema, given as Schema, [...path, key], compared);
    if (fault) return fault;
  }
  return undefined;
}

/** zod creates a new value for each of these types and cannot merge two such values. */
const UNMERGEABLE = ["map", "set", "nan"];

/** Says why zod cannot merge the results of both sides of an intersection; undefined if it can. */
export function intersectionFault(left: Schema, right: Schema, compared: Compared = new Map()): string | undefined {
  const [one, two] = [typesOf(left), typesOf(right)];
  const common = UNMERGEABLE.find(
    (type) => (one.has(type) && (two.has(type) || two.has("any"))) || (two.has(type) && one.has("any")),
  );
  if (common) return `intersects a ${common} with another schema, which zod cannot merge; declare one z.${common}()`;
  if (isKnown(left, right, compared)) return undefined;
  for (const [a, b] of overlaps(bare(left), bare(right))) {
    const fault = intersectionFault(a as Schema, b as Schema, compared);
    if (fault) return fault;
  }
  return undefined;
}

/** The pairs of parts that may describe the same part of a value. */
function overlaps(left: core.$ZodTypes, right: core.$ZodTypes): (readonly [core.$ZodType, core.$ZodType])[] {
  const [insideLeft, insideRight] = [alternatives(left), alternatives(right)];
  if (insideLeft) return insideLeft.map((part) => [part, right] as const);
  if (insideRight) return insideRight.map((part) => [left, part] as const);
  return [...new Set([...namesIn(left), ...namesIn(right), undefined])].flatMap((name) => {
    const [a, b] = [memberAt(left, name), memberAt(right, name)];
    return a && b ? [[a, b] as const] : [];
  });
}

/** The schemas inside this one that apply to the same value; undefined if there are none. */
function alternatives({ _zod: { def } }: core.$ZodTypes): readonly core.$ZodType[] | undefined {
  switch (def.type) {
    case "union":
      return def.options;
    case "intersection":
      return [def.left, def.right];
    case "nullable":
      return [def.innerType];
    case "pipe":
      return [def.out];
    default:
      return undefined;
  }
}

function namesIn({ _zod: { def } }: core.$ZodTypes): readonly string[] {
  if (def.type === "object") return Object.keys(def.shape);
  return def.type === "tuple" ? Object.keys(def.items) : [];
}

/**
 * The schema of the member with this name. Without a name: the schema of the members that have no
 * schema of their own.
 */
function memberAt(schema: core.$ZodTypes, name: string | undefined): core.$ZodType | undefined {
  const { def } = schema._zod;
  switch (def.type) {
    case "object":
      return (name === undefined ? undefined : def.shape[name]) ?? def.catchall;
    case "tuple":
      return (name === undefined ? undefined : def.items[Number(name)]) ?? def.rest ?? undefined;
    case "array":
      return def.element;
    case "record":
      return def.valueType;
    case "any":
    case "unknown":
    case "custom":
      return schema;
    default:
      return undefined;
  }
}

/** The pairs that have been compared, so that the comparison of recursive schemas ends. */
type Compared = Map<object, Set<object>>;

function isKnown(first: Schema, second: Schema, compared: Compared): boolean {
  const [one, two] = [identityOf(bare(first)), identityOf(bare(second))];
  const partners = compared.get(one) ?? new Set();
  compared.set(one, partners);
  return partners.size === partners.add(two).size;
}
