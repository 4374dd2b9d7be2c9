import type { RichValue } from "../codec/encode-value.js";
import { serialize } from "../codec/rich-values.js";
import type { Fault } from "../issues.js";

/**
 * The constructors of the objects that superjson keeps; `undefined` stands for objects without a
 * prototype. superjson turns instances of other classes into plain objects.
 */
const kept: readonly unknown[] = [undefined, Object, Array, Date, Map, Set];
/** The index of Date in `kept`. Map and Set follow. */
const DATE = 3;

/**
 * In a page's production build a short walk refuses functions, symbols, circular references,
 * instances of other classes and invalid dates; superjson does the rest. Holes in lists, hidden
 * properties and symbol keys are found in development only. Half surrogate pairs, reserved names
 * and values beyond the bounds are refused by the server.
 */
export function encodeValue(
  value: unknown,
  root: string,
): { ok: true; value: RichValue } | { ok: false; fault: Fault } {
  let field = root;
  const visit = (member: unknown, path: string, holders: readonly unknown[]): void => {
    field = path;
    if (typeof member === "function" || typeof member === "symbol" || holders.includes(member)) throw field;
    if (typeof member !== "object" || !member) return;
    const kind = kept.indexOf(member.constructor);
    if (kind < 0 || (kind === DATE && isNaN(member as never))) throw field;
    for (const [name, part] of Object.entries(kind > DATE ? [...(member as Set<unknown>)] : member))
      visit(part, `${path}.${name}`, [...holders, member]);
  };
  try {
    visit(value, root, []);
    return { ok: true, value: value === undefined ? { data: value } : serialize(value) };
  } catch {
    return { ok: false, fault: { field, message: `${field}: cannot be sent.` } };
  }
}
