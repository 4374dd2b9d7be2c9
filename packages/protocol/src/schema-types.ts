import type * as core from "zod/v4/core";
import type { Schema } from "./schema.js";
import { innerOf } from "./schema-parts.js";

/**
 * The types of value that a schema gives, by zod's names. A record counts as `object`, a tuple
 * counts as `array`, and `any` stands for an unknown type. If the set is empty, the schema accepts
 * no value.
 */
export type Types = ReadonlySet<string>;

export function typesOf(schema: Schema): Types {
  return read(schema as core.$ZodTypes, new Set());
}

function read(part: core.$ZodTypes, open: ReadonlySet<core.$ZodType>): Set<string> {
  if (open.has(part)) return new Set();
  const inner = (child: Schema) => read(child as core.$ZodTypes, new Set([...open, part]));
  const { def } = part._zod;
  switch (def.type) {
    case "template_literal":
      return new Set(["string"]);
    case "enum":
      return new Set(Object.values(def.entries).map((value) => typeof value));
    case "literal":
      return new Set(def.values.map((value) => (value === null ? "null" : typeof value)));
    case "record":
      return new Set(["object"]);
    case "tuple":
      return new Set(["array"]);
    case "void":
      return new Set(["undefined"]);
    case "unknown":
    case "custom":
      return new Set(["any"]);
    case "never":
      return new Set();
    case "union":
      return new Set(def.options.flatMap((option) => [...inner(option)]));
    case "intersection": {
      const [left, right] = [inner(def.left), inner(def.right)];
      if (left.has("any")) return right;
      return right.has("any") ? left : new Set([...left].filter((type) => right.has(type)));
    }
    case "optional":
      return inner(def.innerType).add("undefined");
    case "nullable":
      return inner(def.innerType).add("null");
    case "default":
    case "prefault":
    case "nonoptional": {
      const types = inner(def.innerType);
      types.delete("undefined");
      return types;
    }
    case "catch":
    case "readonly":
      return inner(def.innerType);
    case "lazy":
      return inner(innerOf(part));
    case "pipe":
      return inner(def.out);
    case "success":
      return new Set(["boolean"]);
    default:
      return new Set([def.type]);
  }
}
