import { SchemaReader } from "./schema-reader.js";

/**
 * A schema of zod 4 or zod/mini. Both are accepted everywhere; they can be mixed. The type names
 * only what every zod 4 has, so that an application may have another version of zod than this
 * package was built with.
 */
export interface Schema<Output = unknown, Input = Output> {
  readonly _zod: { readonly output: Output; readonly input: Input; readonly def: { readonly type: string } };
}

/** What the sender of a value holds: defaults may be left out. */
export type SentBy<S> = S extends { _zod: { input: infer Input } } ? Input : never;
/** What the receiver of a value gets: defaults are filled in. */
export type ReceivedBy<S> = S extends { _zod: { output: infer Output } } ? Output : never;

/** superjson's names for the values that JSON cannot hold and a schema can ask for. */
export type RichTag = "Date" | "bigint" | "map" | "set" | "undefined" | "number";

/** A part of a schema that cannot be used: its path below the schema, and the reason. */
export interface SchemaFault {
  readonly path: readonly string[];
  readonly reason: string;
}

export interface SchemaFacts {
  /** The rich values a schema can ask for. Empty: plain JSON carries it. */
  readonly rich: ReadonlySet<RichTag>;
  /** What may be restored. */
  readonly restored: ReadonlySet<RichTag>;
  readonly faults: readonly SchemaFault[];
}

/**
 * What may be restored for a schema of plain values: a page in production annotates without having
 * read the schema, and superjson annotates these two wherever they turn up.
 */
const harmless: ReadonlySet<RichTag> = new Set(["undefined", "number"]);

/**
 * A schema that was read without a fault. Each one is read when the definition is checked and again
 * when it is put to use.
 */
const known = new WeakMap<Schema, SchemaFacts>();

/**
 * Reads a schema once, when the protocol is defined: which rich values it can hold, and whether all
 * of it can travel. A value travels as the schema's input and is parsed by both sides, so a schema
 * must give the same result when it parses its own output; a one-way transform would run twice, or
 * once on a side that does not expect it.
 */
export function readSchema(schema: Schema): SchemaFacts {
  const before = known.get(schema);
  if (before) return before;
  const reader = new SchemaReader();
  reader.visit(schema, [], true);
  const { rich, faults } = reader;
  // Once superjson is needed at all it also annotates these two, wherever they turn up.
  if (rich.size > 0) rich.add("undefined").add("number");
  const facts = { rich, restored: rich.size > 0 ? rich : harmless, faults };
  if (faults.length === 0) known.set(schema, facts);
  return facts;
}
