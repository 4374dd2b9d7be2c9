import { SchemaReader } from "./schema-reader.js";

/**
 * A schema of zod 4 or zod/mini. Every place in a definition accepts both, and one definition may
 * mix them. The type names only the members that every zod 4 has, so that an application may use
 * another version of zod than this package was built with.
 */
export interface Schema<Output = unknown, Input = Output> {
  readonly _zod: { readonly output: Output; readonly input: Input; readonly def: { readonly type: string } };
}

/** The type that the sender of a value passes: fields with a default may be left out. */
export type SentBy<S> = S extends { _zod: { input: infer Input } } ? Input : never;
/** The type that the receiver of a value gets: defaults are filled in. */
export type ReceivedBy<S> = S extends { _zod: { output: infer Output } } ? Output : never;

/** superjson's tags for the values that JSON cannot hold and a schema can accept. */
export type RichTag = "Date" | "bigint" | "map" | "set" | "undefined" | "number";

/** A part of a schema that cannot be used: its path within the schema, and the reason. */
export interface SchemaFault {
  readonly path: readonly string[];
  readonly reason: string;
}

/** The result of reading a schema. */
export interface SchemaFacts {
  /**
   * The tags of the rich values that the schema can accept. If the set is empty, plain JSON can
   * hold every value.
   */
  readonly rich: ReadonlySet<RichTag>;
  /** The tags that a peer's annotations may use. */
  readonly restored: ReadonlySet<RichTag>;
  readonly faults: readonly SchemaFault[];
}

/**
 * The tags that are allowed for a schema of plain values. A page in production annotates values
 * without having read the schema, and superjson annotates these two everywhere.
 */
const harmless: ReadonlySet<RichTag> = new Set(["undefined", "number"]);

/**
 * A cache of schemas that were read without a fault: a schema is read when the definition is
 * checked, and again when its `ValueSchema` is made.
 */
const known = new WeakMap<Schema, SchemaFacts>();

/**
 * Reads a schema when the protocol is defined: the rich values that the schema can hold, and its
 * faults. A value travels in the form of the schema's input, and both sides parse the value. So
 * parsing the output of a schema again has to give the same result. A one-way transform would run
 * twice, or only on the wrong side.
 */
export function readSchema(schema: Schema): SchemaFacts {
  const before = known.get(schema);
  if (before) return before;
  const reader = new SchemaReader();
  reader.visit(schema, [], true);
  const { rich, faults } = reader;
  // As soon as superjson is used, it annotates these two as well.
  if (rich.size > 0) rich.add("undefined").add("number");
  const facts = { rich, restored: rich.size > 0 ? rich : harmless, faults };
  if (faults.length === 0) known.set(schema, facts);
  return facts;
}
