import * as z from "zod/mini";
import type * as core from "zod/v4/core";
import type { RichTag, Schema, SchemaFault } from "./schema.js";
import { defaultFault } from "./schema-defaults.js";
import { functionFault } from "./schema-functions.js";
import { intersectionFault, pipeFault } from "./schema-pairs.js";
import { classOf, identityOf, innerOf, isSchema, mayBeLeftOut, schemaFault } from "./schema-parts.js";
import { typesOf } from "./schema-types.js";

const anything: readonly RichTag[] = ["Date", "bigint", "map", "set"];

/**
 * The most levels of schemas inside schemas. A value has at most 26 levels, and a level rarely
 * needs more than three schemas.
 */
const MAX_LEVELS = 256;

const NEVER_ENDS =
  "makes a new schema each time it is read, so reading it never ends; keep the recursive schema in a constant and refer to the constant";
const CODEC =
  "is a codec; declare the type that your code uses, because z.date(), z.bigint(), z.map() and z.set() are sent as they are";

/** superjson refuses these names, because they could change the prototype of an object. */
const RESERVED: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** A schema whose parts are being read. */
interface Open {
  readonly identity: object;
  readonly depth: number;
  readonly isNeeded: boolean;
}

/**
 * Reads a schema and every schema inside it, each once. Collects the rich values that the schema
 * can hold, and the faults: parts that cannot be sent, or that the two sides would read
 * differently.
 */
export class SchemaReader {
  readonly rich = new Set<RichTag>();
  readonly faults: SchemaFault[] = [];
  readonly #seen = new Set<object>();
  /**
   * The schemas that are being read, outermost first. If the reader meets an open schema again,
   * that schema contains itself.
   */
  readonly #open: Open[] = [];
  #gaveUp = false;

  /**
   * @param needed whether a value of the surrounding schema needs a value of this schema. By
   *   default true, unless this schema is optional or has a default.
   */
  visit(part: Schema, path: readonly string[], needed?: boolean): void {
    if (this.#gaveUp) return;
    const none = schemaFault(part);
    if (none) return this.#refuse(path, none);
    try {
      const identity = identityOf(part);
      const isNeeded = needed ?? !mayBeLeftOut(part);
      const around = this.#open.findIndex((open) => open.identity === identity);
      if (around >= 0) return this.#checkCycle(this.#open.slice(around), path, isNeeded);
      if (this.#seen.has(part)) return;
      this.#seen.add(part);
      const broken = functionFault(part);
      if (broken) return this.#refuse(path, broken);
      this.#visitChecks(part, path);
      if (this.#open.length === MAX_LEVELS) {
        this.#gaveUp = true;
        return this.#refuse(path.slice(0, 1), NEVER_ENDS);
      }
      this.#open.push({ identity, depth: path.length, isNeeded });
      this.#read(part as core.$ZodTypes, path, isNeeded);
      this.#open.pop();
    } catch (error) {
      // Thrown by a getter of the application, for example because the getter names a constant that
      // is declared further down.
      this.#gaveUp = true;
      const text = error instanceof Error ? error.message.split("\n", 1)[0]! : String(error);
      const remedy = error instanceof ReferenceError ? "; declare every schema before the protocol" : "";
      this.#refuse(path, `could not be read (${text.replace(/\.$/, "")})${remedy}`);
    }
  }

  #refuse(path: readonly string[], reason: string): void {
    this.faults.push({ path, reason });
  }

  #checkCycle(cycle: readonly Open[], path: readonly string[], isNeeded: boolean): void {
    if (cycle.every(({ depth }) => depth === path.length))
      this.#refuse(
        path,
        "contains itself without an object or a list in between, so reading a value would never end; put the recursion into a field or an item",
      );
    else if (isNeeded && cycle.slice(1).every((open) => open.isNeeded))
      this.#refuse(
        path,
        "contains itself and is required, so every value would be infinite; make it optional or nullable",
      );
  }

  /** The checks of `z.property` and `z.properties` contain schemas. */
  #visitChecks(part: Schema, path: readonly string[]): void {
    for (const check of (part as core.$ZodType)._zod.def.checks ?? []) {
      const {
        schema,
        property,
        shape = {},
      } = check._zod.def as { schema?: unknown; property?: unknown; shape?: object };
      if (isSchema(schema)) this.visit(schema, [...path, String(property)], false);
      for (const [name, part] of Object.entries(shape)) if (isSchema(part)) this.visit(part, [...path, name], false);
    }
  }

  #read(part: core.$ZodTypes, path: readonly string[], isNeeded: boolean): void {
    const { def } = part._zod;
    const refuse = (reason: string): void => this.#refuse(path, reason);
    const visit = (child: unknown, more: readonly string[] = [], needed = isNeeded): void =>
      this.visit(child as Schema, [...path, ...more], needed);
    switch (def.type) {
      case "date":
        this.rich.add("Date");
        return;
      case "bigint":
        this.rich.add("bigint");
        return;
      case "nan":
        this.rich.add("number");
        return;
      case "map":
        this.rich.add("map");
        visit(def.keyType, ["(key)"], false);
        return visit(def.valueType, ["(value)"], false);
      case "set":
        this.rich.add("set");
        return visit(def.valueType, ["(value)"], false);
      case "undefined":
      case "void":
        this.rich.add("undefined");
        return;
      case "any":
      case "unknown":
        for (const tag of anything) this.rich.add(tag);
        return;
      case "custom": {
        const fault = classFault(part);
        if (fault) return refuse(fault);
        for (const tag of anything) this.rich.add(tag);
        return;
      }
      case "literal":
      case "enum": {
        const values = def.type === "literal" ? def.values : Object.values(def.entries);
        for (const value of values) {
          if (typeof value === "bigint") this.rich.add("bigint");
          if (value === undefined) this.rich.add("undefined");
          if (typeof value === "number" && !Number.isFinite(value))
            return refuse(`accepts ${value}, which JSON cannot hold as a number; use z.nan() or a string`);
        }
        return this.#checkPossible(part, path);
      }
      case "object":
        for (const [key, child] of Object.entries(def.shape)) {
          if (RESERVED.has(key))
            this.#refuse([...path, key], "has a reserved name, which a page cannot send; rename the field");
          this.visit(child as Schema, [...path, key]);
        }
        if (def.catchall) visit(def.catchall, ["(other)"], false);
        return;
      case "array":
        return this.#visitItem(def.element, [...path, "(item)"], false);
      case "tuple":
        def.items.forEach((item, index) => this.#visitItem(item, [...path, String(index)]));
        if (def.rest) this.#visitItem(def.rest, [...path, "(rest)"], false);
        return;
      case "union":
        for (const option of def.options) visit(option, [], def.options.length === 1);
        // zod detects two options with the same discriminator value only when parsing a value. This
        // value matches no option and triggers that check.
        if ("discriminator" in def && this.faults.length === 0)
          z.safeParse(part, { [String(def.discriminator)]: Symbol("none") });
        return this.#checkPossible(part, path);
      case "intersection": {
        visit(def.left);
        visit(def.right);
        if (this.faults.length > 0) return;
        const fault = intersectionFault(def.left as Schema, def.right as Schema);
        return fault ? refuse(fault) : this.#checkPossible(part, path);
      }
      case "record": {
        visit(def.keyType, ["(key)"], false);
        visit(def.valueType, ["(value)"], false);
        if (this.faults.length > 0) return;
        const keys = typesOf(def.keyType as Schema);
        if (!["string", "number", "any"].some((type) => keys.has(type)))
          this.#refuse([...path, "(key)"], "is not a string, but every key of a record is one; use z.map() instead");
        return;
      }
      case "pipe": {
        if ("transform" in def || "reverseTransform" in def) return refuse(CODEC);
        visit(def.in);
        visit(def.out);
        const fault = this.faults.length > 0 ? undefined : pipeFault(def.in as Schema, def.out as Schema);
        return fault ? refuse(fault) : undefined;
      }
      case "lazy":
        return visit(innerOf(part));
      case "default":
      case "prefault": {
        visit(def.innerType, [], false);
        const fault = this.faults.length > 0 ? undefined : defaultFault(def);
        return fault ? refuse(fault) : undefined;
      }
      case "optional":
      case "nullable":
      case "catch":
        return visit(def.innerType, [], false);
      case "nonoptional":
      case "readonly":
        return visit(def.innerType);
      case "success":
        return refuse(
          "turns its value into true or false, so the other side cannot parse the result; use z.boolean() instead",
        );
      case "transform":
        return refuse(
          "is a transform, but both sides parse each value with the same schema; convert the value in your own code instead",
        );
      case "function":
      case "promise":
      case "symbol":
      case "file":
        return refuse(`is a ${def.type}, which cannot be sent; declare the data that the other side needs`);
      case "never":
        return this.#checkPossible(part, path);
      case "string":
      case "number":
      case "boolean":
      case "template_literal":
      case "null":
        return;
      default:
        def satisfies never;
        // The kind comes from a newer zod, or from a library that builds on zod.
        refuse(
          `is a schema of the kind ${(def as { type: string }).type}, which Holdfast does not support; use another kind`,
        );
    }
  }

  /**
   * JSON leaves out an undefined field, but an undefined item becomes null. So an optional item
   * needs the tag `undefined`.
   */
  #visitItem(part: core.$ZodType, path: readonly string[], needed?: boolean): void {
    this.visit(part as Schema, path, needed);
    if (!this.#gaveUp && !schemaFault(part) && part._zod.optout === "optional") this.rich.add("undefined");
  }

  /**
   * Refuses a required part that accepts no value. An optional part may accept none, as in
   * `z.strictObject`.
   */
  #checkPossible(part: core.$ZodType, path: readonly string[]): void {
    if (this.faults.length === 0 && this.#open.every((open) => open.isNeeded) && typesOf(part as Schema).size === 0)
      this.#refuse(path, "accepts no value; remove it or make it optional");
  }
}

const INSTEAD: { readonly [name: string]: string } = {
  Date: "use z.date()",
  Map: "use z.map()",
  Set: "use z.set()",
  Array: "use z.array()",
  Object: "use z.object() or z.record()",
  Uint8Array: "encode it in your own code, as in z.base64()",
  ArrayBuffer: "encode it in your own code, as in z.base64()",
  Buffer: "encode it in your own code, as in z.base64()",
};

function classFault(part: Schema): string | undefined {
  const name = classOf(part);
  if (name === undefined) return undefined;
  const instead = INSTEAD[name] ?? "declare the fields to be sent with z.object()";
  return `is an instance of ${name || "a class"}, which cannot be sent; ${instead}`;
}
