const WIDTH = 76;
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/**
 * A value as a TypeScript expression. Dates, BigInts, Maps and Sets are written as the application
 * would construct them. An expression that does not fit on its line is broken at its members.
 *
 * @param before the columns that the code before the expression takes
 */
export function literal(value: unknown, before = 0, indent = ""): string {
  const flat = oneLine(value);
  if (indent.length + before + flat.length <= WIDTH || !isPlainContainer(value)) return flat;
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  const members = Array.isArray(value)
    ? value.map((item) => literal(item, 0, inner))
    : entries(value).map(([key, item]) => `${key}: ${literal(item, key.length + 2, inner)}`);
  return `${open}\n${members.map((member) => `${inner}${member},\n`).join("")}${indent}${close}`;
}

function oneLine(value: unknown): string {
  if (value === undefined) return "undefined";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (value instanceof Date) return `new Date(${JSON.stringify(value.toISOString())})`;
  if (value instanceof Set) return `new Set(${value.size > 0 ? oneLine([...value]) : ""})`;
  if (value instanceof Map) return `new Map(${value.size > 0 ? oneLine([...value]) : ""})`;
  if (Array.isArray(value)) return `[${value.map(oneLine).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = entries(value).map(([key, item]) => `${key}: ${oneLine(item)}`);
  return members.length > 0 ? `{ ${members.join(", ")} }` : "{}";
}

function isPlainContainer(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  return !(value instanceof Date || value instanceof Set || value instanceof Map);
}

function entries(value: object): [string, unknown][] {
  return Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => [propertyName(key), item]);
}

/** The name of a property as it stands in a type or an object literal: quoted only if needed. */
export function propertyName(name: string): string {
  return IDENTIFIER.test(name) ? name : JSON.stringify(name);
}
