import type * as core from "zod/v4/core";
import type { Schema } from "./schema.js";

export function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && "_zod" in value;
}

/** Why a value that should be a schema is none; undefined if it is one. */
export function schemaFault(value: unknown): string | undefined {
  if (isSchema(value) && typeof (value._zod as typeof value._zod | undefined)?.def?.type === "string") return undefined;
  if (typeof value === "function" && !("~standard" in value)) return "is a function; call it, as in z.string()";
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return "is not a zod schema";
  const { vendor } = ("~standard" in value && (value["~standard"] as { vendor?: unknown } | undefined)) || {};
  if (typeof vendor === "string" && vendor !== "zod")
    return `is a schema of ${vendor}; Holdfast needs zod 4 (npm install zod@4)`;
  return "_def" in value && !isSchema(value)
    ? "is a schema of zod 3; Holdfast needs zod 4 (npm install zod@4)"
    : "is not a zod schema";
}

/**
 * The object that stays the same when zod copies a schema, as `describe`, `meta` and `refine` do. A
 * recursive schema that refers to a copy of itself makes a new copy each time it is read, so
 * comparing the schemas would never end.
 */
export function identityOf(schema: Schema): object {
  const { def } = (schema as core.$ZodTypes)._zod;
  if (def.type === "lazy") return getterOf(schema as core.$ZodLazy);
  if (def.type !== "object") return schema;
  const known = shapes.get(def);
  if (known) return known;
  // Until its fields are read, zod shares the shape of an object with its copies.
  const get = Object.getOwnPropertyDescriptor(def, "shape")?.get as ({ raw?: object } & (() => unknown)) | undefined;
  const shape = get?.raw ?? get ?? def.shape;
  shapes.set(def, shape);
  return shape;
}

/**
 * The shape that an object was made with, by its definition: zod puts another one in its place when
 * the fields are read.
 */
const shapes = new WeakMap<object, object>();

/** The schema that a lazy one stands for. */
export function innerOf(lazy: Schema): Schema {
  return getterOf(lazy as core.$ZodLazy)() as Schema;
}

/** By the getter that an application wrote, and by itself. */
const getters = new WeakMap<() => unknown, () => core.$ZodType>();

/**
 * The getter of a lazy schema, which calls the application's once. zod keeps the result for
 * parsing, but calls the getter again to find out whether it transforms, which never ends if the
 * getter makes a copy of the schema. So the lazy schema and all of its copies get this one getter.
 */
function getterOf(lazy: core.$ZodLazy): () => core.$ZodType {
  const { def } = lazy._zod as { def: { getter: () => core.$ZodType } };
  let once = getters.get(def.getter);
  if (!once) {
    // Asked before the getter is exchanged: afterwards it would ask itself.
    const inner = lazy._zod.innerType;
    // An inner schema that refers to a copy of this one may have been read meanwhile.
    once = getters.get(def.getter) ?? (() => inner);
    getters.set(def.getter, once).set(once, once);
  }
  def.getter = once;
  return once;
}

/** Whether a sender may leave the value out: it is optional, or has a default. */
export function mayBeLeftOut(schema: Schema): boolean {
  return (schema as core.$ZodType)._zod.optin !== undefined;
}

/** A schema without what only says whether the value may be left out. */
export function bare(schema: Schema): core.$ZodTypes {
  const part = schema as core.$ZodTypes;
  switch (part._zod.def.type) {
    case "optional":
    case "nonoptional":
    case "default":
    case "prefault":
    case "catch":
    case "readonly":
      return bare(part._zod.def.innerType as Schema);
    case "lazy":
      return bare(innerOf(part));
    default:
      return part;
  }
}

/**
 * The name of the class of `z.instanceof`. zod keeps it at the schema that was made first, not at
 * its copies.
 */
export function classOf(schema: Schema): string | undefined {
  for (let part: core.$ZodType | undefined = schema as core.$ZodType; part; part = part._zod.parent) {
    const { Class } = part._zod.bag as { Class?: { name?: string } };
    if (Class) return Class.name ?? "";
  }
  return undefined;
}
