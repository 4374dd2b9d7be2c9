import type { RichValue } from "../codec/encode-value.js";
import { serialize } from "../codec/rich-values.js";
import { hasLoneSurrogate } from "../codec/shape.js";
import type { Fault } from "../issues.js";

/** superjson keeps these. It turns other instances into plain objects, those of another realm included. */
const kept: readonly unknown[] = [
  null,
  ...[Object, Array, Date, Map, Set].map(({ prototype }) => prototype as unknown),
];
/** Where they stand in it. Plain objects come first, Map and Set last. */
const LIST = 2;
const DATE = 3;
/** Names that superjson refuses, and half a surrogate pair. */
const REFUSED_NAME = /^(__proto__|prototype|constructor)$|[\ud800-\udfff]/u;

/**
 * In a page's production build: a walk refuses every member that superjson would drop or change, then superjson encodes. The
 * bounds on number and depth are missing: the server refuses values beyond them, and says so.
 */
export function encodeValue(
  value: unknown,
  root: string,
): { ok: true; value: RichValue } | { ok: false; fault: Fault } {
  const path: PropertyKey[] = [];
  const holders: object[] = [];

  const refuse = (reason: string, ...names: PropertyKey[]): never => {
    path.push(...names);
    throw new Error(reason);
  };

  const visit = (holder: object, name: PropertyKey): void => {
    path.push(name);
    const member: unknown = holder[name as never];
    if (typeof member === "string" && hasLoneSurrogate(member)) refuse("lone surrogate");
    if (typeof member === "function" || typeof member === "symbol") refuse(typeof member);
    if (typeof member === "object" && member) visitMembers(member);
    path.pop();
  };

  const visitMembers = (object: object): void => {
    const kind = kept.indexOf(Object.getPrototypeOf(object));
    if (kind < 0) refuse(object.constructor.name);
    if (holders.includes(object)) refuse("circular");
    // Throws for an invalid Date.
    if (kind === DATE) (object as Date).toISOString();
    holders.push(object);
    const names =
      kind < LIST ? Object.keys(object) : kind > LIST ? [] : Object.keys([...(object as [])]).concat("length");
    // Both begin with the same names, up to a hidden property, one added to a list, or a hole.
    Reflect.ownKeys(object).forEach((key, at) => {
      if (key !== names[at] || REFUSED_NAME.test(key)) refuse("property", kind < LIST ? key : (names[at] ?? key));
    });
    const list = kind > DATE ? [...(object as Set<unknown>)] : object;
    for (const key of Object.keys(list)) visit(list, key);
    holders.pop();
  };

  try {
    visit({ [root]: value }, root);
    return { ok: true, value: value === undefined ? { data: value } : serialize(value) };
  } catch (error) {
    const field = path.map(String).join(".");
    return { ok: false, fault: { field, message: `${field}: cannot be sent (${(error as Error | null)?.message}).` } };
  }
}
