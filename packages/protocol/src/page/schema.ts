import type { RichTag, SchemaFacts } from "../schema.js";

/**
 * In a page's production build schemas are not walked: every value takes superjson's path, which
 * costs a page some microseconds a message, and every tag on the closed list may come back; the
 * schema then decides.
 */
const restored: ReadonlySet<RichTag> = new Set(["Date", "bigint", "map", "set", "undefined", "number"]);

export function readSchema(): SchemaFacts {
  // The stand-ins of the modules that read the rest leave it alone.
  return { restored } as SchemaFacts;
}
