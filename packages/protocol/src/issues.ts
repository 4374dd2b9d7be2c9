import type * as core from "zod/v4/core";

/** What is wrong with a value, and where. */
export interface Fault {
  /** The path of the value at fault, such as `input.items[0].at`. */
  field: string;
  /** A sentence that begins with the field. */
  message: string;
  /** What was thrown, for the log of this side. Never sent. */
  cause?: unknown;
}

/** Puts the first issue of a failed parse into a sentence that names the field. */
export function describeIssue(issues: readonly core.$ZodIssue[], value: unknown, root: string): Fault {
  const issue = deepest(issues);
  if (!issue) return { field: root, message: `${root}: is not valid.` };
  const missing = issue.code === "unrecognized_keys" ? [issue.keys[0] ?? ""] : [];
  const field = formatPath(root, [...issue.path, ...missing]);
  return { field, message: `${field}: ${sentence(issue, valueAt(value, issue.path))}.` };
}

/** In a union, the alternative that came furthest says best what was meant. */
function deepest(issues: readonly core.$ZodIssue[]): core.$ZodIssue | undefined {
  const [first] = issues;
  if (first?.code !== "invalid_union") return first;
  let best: core.$ZodIssue | undefined;
  for (const alternative of first.errors) {
    const issue = deepest(alternative);
    if (issue && issue.path.length > (best?.path.length ?? 0)) best = issue;
  }
  return best ? { ...best, path: [...first.path, ...best.path] } : first;
}

function sentence(issue: core.$ZodIssue, found: unknown): string {
  // zod/mini ships without words; whoever set their own, or loaded full zod, is heard.
  if (issue.message && issue.message !== "Invalid input") return issue.message.replace(/\.$/, "");
  switch (issue.code) {
    case "invalid_type":
      return found === undefined
        ? `expected ${issue.expected}, but it is missing`
        : `expected ${issue.expected}, received ${kindOf(found)}`;
    case "invalid_value":
      return `expected ${issue.values.length === 1 ? "" : "one of "}${issue.values.map((value) => JSON.stringify(String(value))).join(", ")}`;
    case "invalid_format":
      return `expected a valid ${issue.format}`;
    case "too_big":
      return `expected at most ${issue.maximum} (${issue.origin})`;
    case "too_small":
      return `expected at least ${issue.minimum} (${issue.origin})`;
    case "unrecognized_keys":
      return "is not a known field";
    case "invalid_union":
      return "discriminator" in issue && issue.discriminator
        ? `${JSON.stringify(found) ?? "nothing"} is not a known ${issue.discriminator}`
        : "matches none of the alternatives";
    default:
      return "is not valid";
  }
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "an invalid date" : "date";
  return Number.isNaN(value) ? "NaN" : typeof value;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = (found as Record<PropertyKey, unknown>)[key];
  }
  return found;
}

/** `root.items[0].at`; keys that are not plain names are quoted, and long ones cut, since a peer chose them. */
export function formatPath(root: string, path: readonly PropertyKey[]): string {
  let text = root;
  for (const key of path) {
    const name = String(key).slice(0, 64);
    if (typeof key === "number") text += `[${key}]`;
    else if (/^\([a-z]+\)$/.test(name)) text += `.${name}`;
    else if (/^[A-Za-z_$][\w$-]*$/.test(name)) text += text ? `.${name}` : name;
    else text += `[${JSON.stringify(name)}]`;
  }
  return text;
}
