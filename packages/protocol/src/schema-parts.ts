import type * as core from "zod/v4/core";
import type { Schema } from "./schema.js";

/**
 * The object that stays the same when zod copies a schema, as `describe`, `meta` and `refine` do. A recursive schema that
 * refers to a copy of itself makes a new copy each time it is read, so comparing the schemas would never end.
 */
export function identityOf(schema: Schema): object {
  const { def } = (schema as core.$ZodTypes)._zod;
  if (def.type === "lazy") return getterOf(schema as core.$ZodLazy);
  if (def.type !== "object") return schema;
  const get = Object.getOwnPropertyDescriptor(def, "shape")?.get as ({ raw?: object } & (() => unknown)) | undefined;
  return get?.raw ?? get ?? def.shape;
}

/** The schema that a lazy one stands for. */
export function innerOf(lazy: core.$ZodLazy): Schema {
  return getterOf(lazy)() as Schema;
}

/** By the getter that an application wrote, and by itself. */
const getters = new WeakMap<() => unknown, () => core.$ZodType>();

/**
 * The getter of a lazy schema, which calls the application's once. zod keeps the result for parsing, but calls the getter again
 * to find out whether it transforms, which never ends if the getter makes a copy of the schema. So the lazy schema and all of
 * its copies get this one getter.
 */
function getterOf(lazy: core.$ZodLazy): () => core.$ZodType {
  const { def } = lazy._zod as { def: { getter: () => core.$ZodType } };
  let once = getters.get(def.getter);
  if (!once) {
    let inner: core.$ZodType | undefined;
    once = () => (inner ??= lazy._zod.innerType);
    getters.set(def.getter, once).set(once, once);
    // Asked before the getter is exchanged: afterwards it would ask itself.
    once();
  }
  def.getter = once;
  return once;
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
      return bare(innerOf(part as core.$ZodLazy));
    default:
      return part;
  }
}

/** The name of the class of `z.instanceof`. zod keeps it at the schema that was made first, not at its copies. */
export function classOf(schema: Schema): string | undefined {
  for (let part: core.$ZodType | undefined = schema; part; part = part._zod.parent) {
    const { Class } = part._zod.bag as { Class?: { name?: string } };
    if (Class) return Class.name ?? "";
  }
  return undefined;
}
