import type { Fault } from "../issues.js";
import type { RichTag, SchemaFacts } from "../schema.js";
import { sendFault } from "./send-fault.js";
import { hasLoneSurrogate, MAX_ANNOTATIONS, MAX_MEMBERS, MAX_VALUE_DEPTH, tooDeep, tooMany } from "./shape.js";

/** A value in the form that travels. */
export interface RichValue {
  readonly data: unknown;
  /** The annotations that restore rich values. Absent if plain JSON can hold the value. */
  readonly meta?: unknown;
}

/**
 * The most values that one value may unfold to. Shared references are sent as copies, so a small
 * value can unfold to any size. A message of the default size limit (64 KiB) holds far fewer
 * values.
 */
const MAX_VALUES = 1_000_000;
/**
 * The most digits of a bigint. The receiver refuses more, because the time to parse a bigint grows
 * with the square of its digits.
 */
const MAX_DIGITS = 1_024;

/** Thrown to end the walk. `encodeValue` catches this error. */
class ValueRefusal {
  constructor(readonly reason: string) {}
}

type Annotations = Record<string, unknown>;

/**
 * Turns a value into the JSON that travels, or names the member that would not arrive unchanged.
 * `JSON.stringify` and superjson silently drop or change some of these members, for example
 * functions, symbols and instances of classes. One walk reads every property once, checks it,
 * copies it, and writes the annotations by which `revive` restores the value on the other side.
 *
 * `root` names the value in the fault: `input`, `output`, `data` or `document`. `levels` limits how
 * deep the value may be nested.
 */
export function encodeValue(
  value: unknown,
  root: string,
  { rich, restored }: Pick<SchemaFacts, "rich" | "restored">,
  levels = MAX_VALUE_DEPTH,
): { ok: true; value: RichValue } | { ok: false; fault: Fault } {
  /**
   * Plain JSON leaves out an undefined field. If the schema holds rich values, the field is
   * annotated instead.
   */
  const omitsUndefined = rich.size === 0;
  /**
   * The path to the current member. A Map counts as a list of pairs and a Set as a list, as in
   * superjson.
   */
  const path: PropertyKey[] = [];
  /** The objects on the path. Their number is the depth in JSON. */
  const holders: object[] = [];
  let values = 0;
  let annotated = 0;
  /**
   * The annotations inside the nearest Map or Set; `nesting` counts the Maps and Sets around the
   * current member. Paths in the annotations start after the first `base` names.
   */
  let annotations: Annotations = {};
  let base = 0;
  let nesting = 0;
  let ofRoot: unknown;

  const refuse = (reason: string): never => {
    throw new ValueRefusal(reason);
  };

  const refuseAt = (name: PropertyKey, reason: string): never => {
    path.push(name);
    return refuse(reason);
  };

  const count = (members: number): void => {
    if (members > MAX_MEMBERS) refuse(tooMany());
    values += members;
    if (values > MAX_VALUES) refuse(`unfolds to more than ${MAX_VALUES} values`);
  };

  const annotate = (tag: RichTag, inner: Annotations = {}): void => {
    if (!restored.has(tag)) refuse(`is not in the schema, which accepts no ${tag}`);
    // The annotations are nested as well: two levels for each Map or Set, and three of their own.
    if (++annotated > MAX_ANNOTATIONS || 2 * nesting + 3 > MAX_VALUE_DEPTH)
      refuse("exceeds the number or depth of rich values that one message may carry");
    // superjson restores nothing below these names.
    if (path.includes("constructor") || path.includes("prototype"))
      refuse(`is below a reserved name, where no ${tag} can be restored`);
    const annotation = Object.keys(inner).length > 0 ? [tag, inner] : [tag];
    if (path.length === 0) ofRoot = annotation;
    else annotations[path.slice(base).map(escape).join(".")] = annotation;
  };

  const read = (object: object, name: PropertyKey): unknown => {
    try {
      return object[name as never];
    } catch (error) {
      path.push(name);
      throw error;
    }
  };

  /** Encodes one member. Most members are JSON already and need no entry in the path. */
  const encodeAt = (name: PropertyKey, member: unknown): unknown => {
    if (isJson(member)) return member;
    path.push(name);
    const json = encode(member);
    path.pop();
    return json;
  };

  const encode = (member: unknown): unknown => {
    if (isJson(member)) return member;
    switch (typeof member) {
      case "string":
        return refuse("holds half a surrogate pair");
      case "number":
        annotate("number");
        return Object.is(member, -0) ? "-0" : String(member);
      case "undefined":
        annotate("undefined");
        return null;
      case "bigint": {
        const digits = String(member);
        if (digits.length > MAX_DIGITS) refuse(`is a bigint of more than ${MAX_DIGITS} digits`);
        annotate("bigint");
        return digits;
      }
      case "object":
        return encodeObject(member as object);
      default:
        return refuse(`is a ${typeof member}`);
    }
  };

  const encodeObject = (object: object): unknown => {
    if (holders.includes(object)) refuse("contains itself");
    if (holders.length >= levels) refuse(tooDeep(levels));
    holders.push(object);
    const json = encodeByKind(object);
    holders.pop();
    return json;
  };

  const encodeByKind = (object: object): unknown => {
    if (isPlain(object)) return encodeMembers(object as Record<string, unknown>);
    // Reads the internal slot, so that a Date of another realm (an iframe, a `vm` context) is
    // recognised.
    const kind = Array.isArray(object) ? "Array" : Object.prototype.toString.call(object).slice(8, -1);
    const name: unknown = object.constructor?.name;
    // A subclass may have methods and state that would be lost.
    if (name === kind) {
      switch (kind) {
        case "Array":
          return encodeList(object as unknown[]);
        case "Date": {
          const time = Date.prototype.getTime.call(object);
          if (Number.isNaN(time)) refuse("is an invalid Date");
          refuseOthers(object, isConstructor);
          annotate("Date");
          return new Date(time).toISOString();
        }
        case "Map":
          return encodeEntries("map", object, [...Map.prototype.entries.call(object)]);
        case "Set":
          return encodeEntries("set", object, [...Set.prototype.values.call(object)]);
      }
    }
    return refuse(`is an instance of ${typeof name === "string" && name ? name : kind}`);
  };

  const encodeMembers = (object: Record<string, unknown>): object => {
    const names = Object.keys(object);
    count(names.length);
    if (Object.getOwnPropertyNames(object).length > names.length || hasSymbols(object))
      refuseOthers(object, (key) => names.includes(key as string));
    const json: Record<string, unknown> = {};
    for (const name of names) {
      if (name === "__proto__") refuseAt(name, "has a reserved name");
      if (hasLoneSurrogate(name)) refuseAt(name, "has half a surrogate pair in its name");
      const member = read(object, name);
      if (member !== undefined || !omitsUndefined) json[name] = encodeAt(name, member);
    }
    return json;
  };

  const encodeList = (list: readonly unknown[]): unknown[] => {
    count(list.length);
    const json: unknown[] = [];
    for (let index = 0; index < list.length; index++) {
      if (!(index in list)) refuseAt(index, "is an empty slot");
      json.push(encodeAt(index, read(list, index)));
    }
    // Among the own keys of an array the indices come first, so any key after the indices, except
    // `length`, is an added property. Listing all own keys takes fifty times as long as listing the
    // enumerable names, so the cheaper check decides whether `refuseOthers` is needed.
    if (Object.keys(list).length > list.length || hasSymbols(list))
      refuseOthers(list, (key, at) => at < list.length || key === "length");
    return json;
  };

  const encodeEntries = (tag: "map" | "set", object: object, entries: readonly unknown[]): unknown[] => {
    refuseOthers(object, isConstructor);
    const outer = [annotations, base] as const;
    annotations = {};
    base = path.length;
    nesting++;
    const json = encodeList(entries);
    const inner = annotations;
    [annotations, base] = outer;
    nesting--;
    annotate(tag, inner);
    return json;
  };

  /**
   * Refuses a property that the encoding would miss: a property named by a symbol, a property that
   * is not enumerable, or a property added to a list.
   */
  const refuseOthers = (object: object, isKnown: (key: PropertyKey, at: number) => boolean): void => {
    const other = Reflect.ownKeys(object).find((key, at) => !isKnown(key, at));
    if (other !== undefined) refuseAt(other, "is a property that would not be sent");
  };

  try {
    const data = value === undefined ? value : encode(value);
    const all = ofRoot ?? (Object.keys(annotations).length > 0 ? annotations : undefined);
    return { ok: true, value: all === undefined ? { data } : { data, meta: { values: all, v: 1 } } };
  } catch (error) {
    if (error instanceof ValueRefusal) return { ok: false, fault: sendFault(value, root, path, error.reason) };
    // A getter or a Proxy of the application may throw anything.
    const fault = sendFault(value, root, path, "cannot be read");
    return { ok: false, fault: { ...fault, cause: error } };
  }
}

/** True if JSON holds the value unchanged. */
function isJson(value: unknown): boolean {
  switch (typeof value) {
    case "string":
      return !hasLoneSurrogate(value);
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object":
      return value === null;
    default:
      return typeof value === "boolean";
  }
}

/**
 * True for an object that is not an instance of a class, even if the object belongs to another
 * realm or has no prototype.
 */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype === null || prototype === Object.prototype) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, "isPrototypeOf");
}

function hasSymbols(object: object): boolean {
  return Object.getOwnPropertySymbols(object).length > 0;
}

/** Fake timers give each Date its own `constructor`. */
function isConstructor(key: PropertyKey): boolean {
  return key === "constructor";
}

/** superjson joins the names of a path with dots. */
function escape(name: PropertyKey): string {
  return String(name).replace(/[.\\]/g, "\\$&");
}
