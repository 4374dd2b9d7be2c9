import type * as core from "zod/v4/core";
import { regexes } from "zod/v4/core";
import type { Schema } from "./schema.js";
import { innerOf, isSchema } from "./schema-parts.js";

/**
 * The properties of one schema that a peer can observe, without the schemas inside it. Two schemas
 * are equivalent if their facts are equal and their parts are equivalent.
 */
export interface SchemaFacts {
  /** The properties, as plain JSON. */
  readonly facts: { readonly [name: string]: unknown };
  /** The schemas inside this one, each with its place. Each place has at most one schema. */
  readonly parts: readonly (readonly [place: string, part: Schema])[];
  /** The schema that this one is equivalent to, if a peer cannot observe a difference. */
  readonly sameAs?: Schema | undefined;
}

/** The prefix of the places of an object's fields. */
export const FIELD = "field ";

/**
 * Reads the facts from the definition that every zod 4 keeps in `_zod.def`. The facts leave out
 * everything that a peer cannot observe: texts, default values, `readonly` and `lazy` without
 * checks, and the patterns of built-in formats. The facts also leave out functions (refinements,
 * overwrites), because two functions cannot be compared.
 */
export function factsOf(schema: Schema): SchemaFacts {
  const part = schema as core.$ZodTypes;
  const { def } = part._zod;
  const { texts, parts } = checksOf(part);
  const common = {
    type: def.type,
    ...(texts.length > 0 && { checks: texts }),
    ...("coerce" in def && def.coerce && { coerce: true }),
  };
  const made = (more: object, more_: SchemaFacts["parts"]): SchemaFacts => ({
    facts: { ...common, ...more },
    parts: [...parts, ...more_],
  });
  const hasChecks = texts.length > 0 || parts.length > 0;
  switch (def.type) {
    case "lazy":
    case "readonly": {
      const inner = def.type === "lazy" ? innerOf(part) : def.innerType;
      return { ...made({ type: "checked" }, [["inner", inner]]), ...(!hasChecks && { sameAs: inner }) };
    }
    case "literal":
      return made({ values: def.values.map(valueText).sort() }, []);
    case "enum":
      return made({ values: valuesOf(def.entries).map(valueText).sort() }, []);
    case "object":
      return made({}, [...placed(FIELD, def.shape), ...(def.catchall ? [["other", def.catchall] as const] : [])]);
    case "array":
      return made({}, [["item", def.element]]);
    case "tuple":
      return made({ count: def.items.length }, [
        ...placed("", def.items),
        ...(def.rest ? [["rest", def.rest] as const] : []),
      ]);
    case "record": {
      const { mode, partial } = def as { mode?: string; partial?: boolean };
      // Before 4.5, zod marks a partial record only by its key schema, which then lists no values.
      const every = partial !== true && def.keyType._zod.values !== undefined;
      return made({ every, isLoose: mode === "loose" }, [
        ["key", def.keyType],
        ["value", def.valueType],
      ]);
    }
    case "map":
      return made({}, [
        ["key", def.keyType],
        ["value", def.valueType],
      ]);
    case "set":
      return made({}, [["item", def.valueType]]);
    case "union": {
      // In zod 4.0, the key of a partial record is a union with `never`, which no value matches.
      const options = def.options.filter((option) => (option as core.$ZodTypes)._zod.def.type !== "never");
      const { discriminator, inclusive, unionFallback } = def as {
        discriminator?: string;
        inclusive?: boolean;
        unionFallback?: boolean;
      };
      const isExclusive = discriminator === undefined && inclusive === false;
      const isOne = options.length === 1 && discriminator === undefined && !isExclusive && !hasChecks;
      return {
        ...made({ discriminator, isExclusive, unionFallback: unionFallback === true }, placed("", options)),
        ...(isOne && { sameAs: options[0] }),
      };
    }
    case "intersection":
      return made({}, placed("", [def.left, def.right]));
    case "pipe":
      return made({}, placed("", [def.in, def.out]));
    case "template_literal":
      return made(
        { texts: def.parts.map((one) => (isSchema(one) ? null : valueText(one))) },
        def.parts.flatMap((one, index) => (isSchema(one) ? [[`${index}`, one] as const] : [])),
      );
    case "optional":
    case "nullable":
    case "nonoptional":
    case "default":
    case "prefault":
    case "catch":
      return made({}, [["inner", def.innerType]]);
    default:
      return made({}, []);
  }
}

function placed(place: string, parts: { readonly [name: string]: Schema } | readonly Schema[]): SchemaFacts["parts"] {
  return Object.entries(parts).map(([name, part]) => [`${place}${name}`, part] as const);
}

/** A numeric TypeScript enum also maps each number back to its name; those entries are skipped. */
function valuesOf(entries: { readonly [key: string]: unknown }): unknown[] {
  const numbers = Object.values(entries).filter((value) => typeof value === "number");
  return Object.entries(entries).flatMap(([key, value]) => (numbers.includes(Number(key)) ? [] : [value]));
}

/** Keeps `1`, `"1"` and the bigint 1 apart. */
function valueText(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof RegExp) return patternNames.get(String(value)) ?? String(value);
  return JSON.stringify(value) ?? "undefined";
}

/**
 * The patterns that zod exports and an application may use in its own schemas. Each version of zod
 * writes these patterns differently, so the facts contain only the names.
 */
const patternNames: ReadonlyMap<string, string> = new Map([
  [String(regexes.domain), "domain"],
  [String(regexes.hostname), "hostname"],
]);

/** The properties of a check that a peer can observe. The order of checks does not matter. */
const NOTICED = [
  ...["format", "minimum", "maximum", "length", "size", "value", "inclusive", "version", "alg", "precision", "offset"],
  ...[
    "local",
    "hostname",
    "protocol",
    "normalize",
    "includes",
    "prefix",
    "suffix",
    "position",
    "property",
    "delimiter",
  ],
] as const;

function checksOf(part: core.$ZodTypes): { texts: string[]; parts: SchemaFacts["parts"] } {
  // z.email() is a check itself; z.string().email() contains one.
  const own = "check" in part._zod.def ? [part._zod.def] : [];
  const others = (part._zod.def.checks ?? []) as readonly core.$ZodCheck[];
  const defs = [...own, ...others.map((check) => check._zod.def)] as unknown as readonly CheckDefinition[];
  const noticed = defs.filter(({ check }) => check !== "overwrite" && check !== "custom");
  const texts = noticed.map(checkText);
  return {
    texts: [...new Set(texts)].sort(),
    parts: noticed.flatMap(({ schema, shape }, index) => {
      const text = texts[index]!;
      const place = `${text} ${texts.slice(0, index).filter((one) => one === text).length}`;
      return isSchema(schema) ? [[place, schema] as const] : shape ? placed(`${place} `, shape) : [];
    }),
  };
}

interface CheckDefinition {
  readonly check: string;
  /** The schema of a `z.property` check. */
  readonly schema?: unknown;
  /** The schemas of a `z.properties` check. */
  readonly shape?: { readonly [name: string]: Schema };
  readonly format?: string;
  readonly pattern?: RegExp;
}

function checkText(def: CheckDefinition): string {
  const facts = NOTICED.flatMap((name) => {
    const value: unknown = Reflect.get(def, name);
    return value === undefined || value === null || value === false ? [] : [`${name}=${valueText(value)}`];
  });
  const { format, pattern } = def;
  const isOwn = format === "regex" || "fn" in def || (format === "email" && String(pattern) !== String(regexes.email));
  return [def.check, ...facts, ...(isOwn && pattern ? [`pattern=${valueText(pattern)}`] : [])].join(" ");
}
