import { restore } from "../codec/rich-values.js";
import type { RichTag } from "../schema.js";

/**
 * In a page's production build: the closed list of types is kept (never a class, a RegExp or a typed array), the bounds on
 * number and depth are not. They guard a server from its clients; a page has loaded its own code from that server.
 */
export function revive(data: unknown, meta: unknown, allowed: ReadonlySet<RichTag>): unknown {
  const { values } = meta as { readonly values?: unknown };
  if (values === undefined) return data;
  check(values, allowed);
  return restore(data, values);
}

function check(node: unknown, allowed: ReadonlySet<RichTag>): void {
  if (!Array.isArray(node)) return Object.values(node as object).forEach((child) => check(child, allowed));
  const [tag, children = {}] = node as [RichTag, unknown?];
  if (!allowed.has(tag)) throw new Error("names a type that the schema does not hold");
  check(children, allowed);
}
