import { canonicalJson } from "./canonical-json.js";
import type { Schema } from "./schema.js";
import { factsOf, FIELD, type SchemaFacts } from "./schema-facts.js";
import { identityOf } from "./schema-parts.js";

/**
 * A schema as a table of its parts: those that a peer cannot tell apart share a row, and a row
 * names others by their numbers.
 */
export interface SchemaShape {
  /** The number of the row of the schema itself. */
  readonly start: number;
  /** The text of each row, by its number. */
  readonly rows: readonly string[];
}

/**
 * A schema reduced to what a peer can notice, as plain JSON: what the fingerprint hashes. Two
 * schemas that accept the same values in the same places have the same shape, whatever version of
 * zod made them, and however their parts are shared, copied or repeated: a recursive schema has a
 * row for each part that differs, like the smallest automaton of a language.
 */
export function shapeOf(schema: Schema): SchemaShape {
  const nodes: Node[] = [];
  const start = collect(schema, nodes, { instances: new Map(), copies: new Map() });
  let { of, count } = number(nodes.map(({ facts }) => facts));
  // Parts that look alike are told apart by what they lead to, until that tells no more of them
  // apart.
  for (let before = 0; count > before;) {
    before = count;
    ({ of, count } = number(nodes.map((node) => rowOf(node, of))));
  }
  const rows: string[] = [];
  for (const [index, node] of nodes.entries()) rows[of[index]!] = rowOf(node, of);
  return { start: of[start]!, rows };
}

/** A part of the schema, with the indices of its own parts. */
interface Node {
  facts: string;
  parts: readonly (readonly [place: string, node: number])[];
}

/** The nodes that are known, by the schema they stand for. */
interface Known {
  readonly instances: Map<Schema, number>;
  /** By what copies of one object share, and by what tells them apart. */
  readonly copies: Map<object, Map<string, number>>;
}

/**
 * The index of the node of a schema, which is added with all that it leads to, unless it is known.
 */
function collect(schema: Schema, nodes: Node[], known: Known): number {
  const found = known.instances.get(schema);
  if (found !== undefined) return found;
  const described = factsOf(schema);
  const index = described.sameAs
    ? collect(described.sameAs, nodes, known)
    : (copyOf(schema, described, nodes.length, known) ?? nodes.length);
  known.instances.set(schema, index);
  if (index < nodes.length) return index;
  const node: Node = { facts: canonicalJson(described.facts), parts: [] };
  nodes.push(node);
  node.parts = [...described.parts]
    .sort(([one], [two]) => (one < two ? -1 : 1))
    .map(([place, part]) => [place, collect(part, nodes, known)] as const);
  return index;
}

/**
 * The node of a copy of the same object, or undefined, and then later copies have the node `index`.
 * A recursive object may make a new copy of itself each time its fields are read. Copies have the
 * same fields, but may differ in checks and in what else they accept.
 */
function copyOf(schema: Schema, { facts, parts }: SchemaFacts, index: number, { copies }: Known): number | undefined {
  if (facts["type"] !== "object") return undefined;
  const others = parts.filter(([place]) => !place.startsWith(FIELD));
  const key = canonicalJson([facts, others.map(([place, part]) => [place, outline(part, 3)])]);
  const identity = identityOf(schema);
  const known = copies.get(identity) ?? new Map<string, number>();
  copies.set(identity, known);
  if (!known.has(key)) known.set(key, index);
  const found = known.get(key)!;
  return found === index ? undefined : found;
}

function outline(schema: Schema, levels: number): unknown {
  const { facts, parts } = factsOf(schema);
  return [facts, levels > 0 ? parts.map(([place, part]) => [place, outline(part, levels - 1)]) : []];
}

/**
 * Numbers for texts, in the order of their alphabet, so that they do not depend on the order of the
 * parts.
 */
function number(texts: readonly string[]): { of: readonly number[]; count: number } {
  const rows = [...new Set(texts)].sort();
  const numbers = new Map(rows.map((text, index) => [text, index]));
  return { of: texts.map((text) => numbers.get(text)!), count: rows.length };
}

function rowOf({ facts, parts }: Node, numbers: readonly number[]): string {
  return canonicalJson([facts, parts.map(([place, part]) => [place, numbers[part]])]);
}
