import SuperJSON from "superjson";
import type { RichTag } from "../schema.js";
import type { RichValue } from "./encode-value.js";
import { MAX_ANNOTATIONS } from "./shape.js";

/**
 * The only file that uses superjson.
 *
 * superjson restores values from annotations that a peer wrote. So `revive` first checks the
 * annotations and accepts:
 * - Only tags that the schema can accept: never a class, a RegExp or a typed array (80 bytes could
 *   request a gigabyte).
 * - Only paths to values that exist: a path to index 999999999 would create a list of that length.
 * - No path below another annotated path. superjson itself nests such annotations. If a peer writes
 *   them side by side, superjson walks a Set from the beginning for each entry.
 * - A limited number and depth.
 */

const MAX_DEPTH = 32;

/**
 * Checks the JSON that a tag applies to. A bigint is limited, because the time to parse a bigint
 * grows with the square of its digits.
 */
const shapes: { readonly [Tag in RichTag]: (json: unknown) => boolean } = {
  Date: (json) => typeof json === "string" && json.length <= 32 && !Number.isNaN(Date.parse(json)),
  bigint: (json) => typeof json === "string" && /^-?\d{1,1024}$/.test(json),
  map: (json) => Array.isArray(json) && json.every((entry) => Array.isArray(entry) && entry.length === 2),
  set: Array.isArray,
  undefined: (json) => json === null,
  number: (json) => json === "NaN" || json === "Infinity" || json === "-Infinity" || json === "-0",
};

/**
 * Restores the rich values of `data` by the annotations of a peer.
 *
 * @throws Error if the annotations are invalid
 */
export function revive(data: unknown, meta: unknown, allowed: ReadonlySet<RichTag>): unknown {
  if (meta === undefined) return data;
  if (!isRecord(meta)) throw new Error("expected an object");
  if (meta["referentialEqualities"] !== undefined) throw new Error("referentialEqualities are not accepted");
  const { values } = meta;
  if (values === undefined) return data;
  checkAnnotations(values, data, allowed);
  return restore(data, values);
}

/** @throws Error if the annotations are invalid */
function checkAnnotations(values: unknown, data: unknown, allowed: ReadonlySet<RichTag>): void {
  let budget = MAX_ANNOTATIONS;

  const checkNode = (node: unknown, json: unknown, depth: number): void => {
    if (!Array.isArray(node)) return checkBranch(node, json, depth);
    const [tag, children] = node as unknown[];
    if (node.length > 2 || typeof tag !== "string" || !allowed.has(tag as RichTag))
      throw new Error("names a type that the schema does not accept");
    if (!shapes[tag as RichTag](json)) throw new Error(`this value cannot be restored as a ${tag}`);
    if (children !== undefined) checkBranch(children, json, depth);
  };

  const checkBranch = (branch: unknown, json: unknown, depth: number): void => {
    if (!isRecord(branch)) throw new Error("is malformed");
    const paths = Object.keys(branch);
    // Counted before any path is read, so that a refusal costs less than parsing the frame did.
    budget -= paths.length;
    if (budget < 0) throw new Error(`more than ${MAX_ANNOTATIONS} annotations`);
    for (const path of paths) {
      const segments = segmentsOf(path);
      if (depth + segments.length > MAX_DEPTH) throw new Error("is nested too deeply");
      let found: unknown = json;
      for (const { name, end } of segments) {
        if (typeof found !== "object" || found === null || !Object.hasOwn(found, name))
          throw new Error("annotates a value that does not exist");
        found = (found as Record<string, unknown>)[name];
        if (end < path.length && Object.hasOwn(branch, path.slice(0, end)))
          throw new Error("annotates below another annotation");
      }
      checkNode(branch[path], found, depth + segments.length);
    }
  };

  checkNode(values, data, 0);
}

/**
 * Encodes a value that contains only types that superjson keeps. An object that is referenced twice
 * is sent as two copies.
 */
export function serialize(value: unknown): RichValue {
  const { json, meta } = SuperJSON.serialize(value);
  return { data: json, meta: meta?.values && { values: meta.values, v: meta.v } };
}

/** Restores a value whose annotations have been checked. */
export function restore(data: unknown, values: unknown): unknown {
  return SuperJSON.deserialize({ json: data as never, meta: { values: values as never, v: 1 } });
}

interface Segment {
  readonly name: string;
  /**
   * The index in the path at which the segment ends. Each name has only one spelling, so the path
   * up to this index is the path of the enclosing value.
   */
  readonly end: number;
}

/**
 * Splits a path in superjson's syntax: dots separate segments, and a backslash escapes a dot or a
 * backslash within a segment.
 */
function segmentsOf(path: string): Segment[] {
  const segments: Segment[] = [];
  let name = "";
  let from = 0;
  for (let index = 0; index <= path.length; index++) {
    const char = path.charAt(index);
    if (char === "." || index === path.length) {
      segments.push({ name: name + path.slice(from, index), end: index });
      name = "";
      from = index + 1;
    } else if (char === "\\") {
      const escaped = path.charAt(index + 1);
      if (escaped !== "." && escaped !== "\\") throw new Error("is malformed");
      name += path.slice(from, index) + escaped;
      index++;
      from = index + 1;
    }
  }
  return segments;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
