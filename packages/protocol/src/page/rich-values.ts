import { restore } from "../codec/rich-values.js";
import type { RichTag } from "../schema.js";

/**
 * In a page's production build the closed list of tags still applies (never a class, a RegExp or a
 * typed array), but the bounds on number and depth do not. The bounds protect a server from its
 * clients; a page trusts the server that delivered its code.
 */
export function revive(data: unknown, meta: unknown, allowed: ReadonlySet<RichTag>): unknown {
  const values = (meta as { readonly values?: unknown } | undefined)?.values;
  if (!values) return data;
  // Every leaf of the annotations has to be a tag.
  const check = (node: unknown): void => {
    if (typeof node === "object") Object.values(node!).forEach(check);
    else if (!allowed.has(node as RichTag)) throw new Error(node as RichTag);
  };
  check(values);
  return restore(data, values);
}
