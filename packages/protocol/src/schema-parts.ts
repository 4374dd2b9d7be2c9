import type * as core from "zod/v4/core";
import type { Schema } from "./schema.js";

export function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && "_zod" in value;
}

/** Says why a value is not a usable schema; undefined if the value is usable. */
export function schemaFault(value: unknown): string | undefined {
  if (isSchema(value) && typeof (value._zod as typeof value._zod | undefined)?.def?.type === "string") return undefined;
  if (typeof value === "function" && !("~standard" in value))
    return "is a function; call the function, as in z.string()";
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return "is not a zod schema";
  const { vendor } = ("~standard" in value && (value["~standard"] as { vendor?: unknown } | undefined)) || {};
  if (typeof vendor === "string" && vendor !== "zod")
    return `is a schema of ${vendor}; Holdfast needs zod 4 (npm install zod@4)`;
  return "_def" in value && !isSchema(value)
    ? "is a schema of zod 3; Holdfast needs zod 4 (npm install zod@4)"
    : "is not a zod schema";
}

/**
 * An object that is the same for a schema and for the copies that zod makes of it in `describe`,
 * `meta` and `refine`. A recursive schema that refers to a copy of itself makes a new copy on each
 * read, so a comparison of the schemas themselves would never end.
 */
export function identityOf(schema: Schema): object {
  const { def } = (schema as core.$ZodTypes)._zod;
  if (def.type === "lazy") return getterOf(schema as core.$ZodLazy);
  if (def.type !== "object") return schema;
  const known = shapes.get(def);
  if (known) return known;
  // zod shares the shape of an object with its copies until the fields are read.
  const get = Object.getOwnPropertyDescriptor(def, "shape")?.get as ({ raw?: object } & (() => unknown)) | undefined;
  const shape = get?.raw ?? get ?? def.shape;
  shapes.set(def, shape);
  return shape;
}

/**
 * The original shape of an object, by its definition: zod replaces the shape when the fields are
 * read.
 */
const shapes = new WeakMap<object, object>();

/** The schema that a lazy schema stands for. */
export function innerOf(lazy: Schema): Schema {
  return getterOf(lazy as core.$ZodLazy)() as Schema;
}

/** The cached getter, by the getter of the application and by itself. */
const getters = new WeakMap<() => unknown, () => core.$ZodType>();

/**
 * Returns a getter that calls the application's getter only once, and installs it in the lazy
 * schema. zod keeps the result for parsing, but calls the getter again to find out whether the
 * schema transforms. If the getter makes a new copy of the schema each time, that search never
 * ends. The lazy schema and all its copies share this one getter.
 */
function getterOf(lazy: core.$ZodLazy): () => core.$ZodType {
  const { def } = lazy._zod as { def: { getter: () => core.$ZodType } };
  let once = getters.get(def.getter);
  if (!once) {
    // Read before the getter is replaced, because the replacement would call itself.
    const inner = lazy._zod.innerType;
    // If the inner schema refers to a copy of this schema, the read above has already cached a
    // getter.
    once = getters.get(def.getter) ?? (() => inner);
    getters.set(def.getter, once).set(once, once);
  }
  def.getter = once;
  return once;
}

/** True if a sender may leave the value out: the schema is optional or has a default. */
export function mayBeLeftOut(schema: Schema): boolean {
  return (schema as core.$ZodType)._zod.optin !== undefined;
}

/** The schema without the wrappers that only say whether the value may be left out. */
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
 * The name of the class of `z.instanceof`; undefined for any other schema. zod keeps the class only
 * on the original schema, so the parents of a copy are searched.
 */
export function classOf(schema: Schema): string | undefined {
  for (let part: core.$ZodType | undefined = schema as core.$ZodType; part; part = part._zod.parent) {
    const { Class } = part._zod.bag as { Class?: { name?: string } };
    if (Class) return Class.name ?? "";
  }
  return undefined;
}
