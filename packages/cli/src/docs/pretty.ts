const WIDTH = 92;

/** Formats JSON. Short lists and objects stay on one line. */
export function pretty(value: unknown, indent = "", before = 0): string {
  const flat = oneLine(value);
  const fits = indent.length + before + flat.length <= WIDTH;
  // The outermost object of a message has one field per line unless the message is very short.
  if ((fits && (indent || flat.length <= 60)) || typeof value !== "object" || value === null) return flat;
  const inner = `${indent}  `;
  const members = Array.isArray(value)
    ? value.map((item) => pretty(item, inner))
    : entries(value).map(([key, item]) => {
        const name = `${JSON.stringify(key)}: `;
        return name + pretty(item, inner, name.length);
      });
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return `${open}\n${members.map((member) => inner + member).join(",\n")}\n${indent}${close}`;
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
