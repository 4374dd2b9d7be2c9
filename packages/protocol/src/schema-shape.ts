import { canonicalJson } from "./canonical-json.js";
import type { Schema } from "./schema.js";
import { factsOf, FIELD, type SchemaFacts } from "./schema-facts.js";
import { identityOf } from "./schema-parts.js";

/**
 * A schema as a table of its parts. Parts that a peer cannot tell apart share a row, and a row
 * refers to other rows by number.
 */
export interface SchemaShape {
  /** The number of the row of the schema itself. */
  readonly start: number;
  /** The text of each row, by its number. */
  readonly rows: readonly string[];
}

/**
 * Reduces a schema to the properties that a peer can observe, as plain JSON; the fingerprint hashes
 * this. Two schemas that accept the same values in the same places have the same shape, regardless
 * of the version of zod and of whether their parts are shared, copied or repeated. The algorithm is
 * the minimisation of an automaton: parts with equal facts start in one row, and a row is split
 * until all its parts lead to the same rows.
 */
export function shapeOf(schema: Schema): SchemaShape {
  const nodes: Node[] = [];
  const start = collect(schema, nodes, { instances: new Map(), copies: new Map() });
  let { of, count } = number(nodes.map(({ facts }) => facts));
  // Splits rows by the rows that their parts lead to, until a round splits none.
  for (let before = 0; count > before;) {
    before = count;
    ({ of, count } = number(nodes.map((node) => rowOf(node, of))));
  }
  const rows: string[] = [];
  for (const [index, node] of nodes.entries()) rows[of[index]!] = rowOf(node, of);
  return { start: of[start]!, rows };
}

/** A part of the schema, with the indices of the parts inside it. */
interface Node {
  facts: string;
  parts: readonly (readonly [place: string, node: number])[];
}

/** The existing nodes, by their schema. */
interface Known {
  readonly instances: Map<Schema, number>;
  /** The copies of one object, by the shared shape and then by their differences. */
  readonly copies: Map<object, Map<string, number>>;
}

/**
 * Returns the index of the node of a schema. A schema that has no node yet is added, with every
 * schema that it leads to.
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
 * Returns the index of the node of an equivalent copy of the same object. If no such node exists,
 * returns undefined and records `index` for later copies. A recursive object may make a new copy of
 * itself on each read of its fields. Copies have the same fields, but may differ in checks and in
 * the other keys that are accepted.
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
 * Numbers the texts in alphabetical order, so that the numbers do not depend on the order of the
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
