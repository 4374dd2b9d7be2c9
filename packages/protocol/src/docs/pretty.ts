/** JSON as a person writes it: short lists and objects stay on one line. */
export function pretty(value: unknown, indent = "", room = 88): string {
  const flat = oneLine(value);
  if (flat.length <= room - indent.length || typeof value !== "object" || value === null) return flat;
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const members = isList
    ? value.map((item) => pretty(item, inner, room))
    : entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${pretty(item, inner, room - key.length - 4)}`);
  return `${isList ? "[" : "{"}\n${members.map((member) => inner + member).join(",\n")}\n${indent}${isList ? "]" : "}"}`;
}

function oneLine(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(oneLine).join(", ")}]`;
  const members = entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${oneLine(item)}`);
  return members.length > 0 ? `{ ${members.join(", ")} }` : "{}";
}

function entries(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, item]) => item !== undefined);
}
