import type * as core from "zod/v4/core";

/** An invalid value: its place and the problem. */
export interface Fault {
  /** The path of the invalid value, such as `input.items[0].at`. */
  field: string;
  /** A sentence for people that begins with the field. */
  message: string;
  /** The error that was thrown, for the log of this process. Never sent. */
  cause?: unknown;
  /** How to fix the fault. Absent if the value only has to be corrected. */
  remedy?: string;
}

/**
 * The error option of every parse. zod/mini has no error messages, and full zod installs its own
 * when the module is loaded. With this option a refusal reads the same in every application. A
 * message that a schema sets itself takes precedence.
 */
export const wording = { error: sentence } as const;

/** Describes the first issue of a failed parse in a sentence that names the field. */
export function describeIssue(issues: readonly core.$ZodIssue[], root: string): Fault {
  const issue = deepest(issues);
  if (!issue) return { field: root, message: `${root}: is not valid.` };
  const unknownKey = issue.code === "unrecognized_keys" ? [issue.keys[0] ?? ""] : [];
  const field = formatPath(root, [...issue.path, ...unknownKey]);
  return { field, message: `${field}: ${issue.message.replace(/\.$/, "")}.` };
}

/**
 * The fault for an error that zod threw instead of returning a result: a refinement that threw or
 * is asynchronous, or a recursive schema on a circular value. The message does not quote the error,
 * because a refinement may mention data that the peer must not see.
 */
export function thrownFault(root: string, cause: unknown): Fault {
  // Recognised by its message, because another copy of zod throws another class.
  if (!(cause instanceof Error && /synchronous parse/.test(cause.message)))
    return { field: root, message: `${root}: could not be validated.`, cause };
  return {
    field: root,
    message: `${root}: cannot be validated, because its schema has an asynchronous check.`,
    remedy: "Make every check in the protocol synchronous. Do asynchronous checks in the handler.",
    cause,
  };
}

/** The fault for invalid annotations of a received value. */
export function restoreFault(field: string, error: unknown): Fault {
  const reason = error instanceof Error ? error.message.split("\n", 1)[0]!.replace(/\.$/, "") : "unknown reason";
  return { field, message: `${field}: ${reason}.` };
}

/**
 * The fault for a value that was passed as the input or the output of a request that declares none.
 */
export function undeclaredFault(field: string): Fault {
  const remedy = "Call request(name) or request(name, undefined, options): the options are the third argument.";
  return { field, message: `${field}: the request does not declare this value.`, ...(field === "input" && { remedy }) };
}

/**
 * Returns the issue that describes the fault best. In a union, the alternative whose issue is
 * nested most deeply is most likely the alternative that the sender meant.
 */
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

function sentence(raw: core.$ZodRawIssue): string {
  const issue = raw as core.$ZodRawIssue<core.$ZodIssue>;
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined)
        return issue.expected === "nonoptional" ? "is missing" : `expected ${issue.expected}, but it is missing`;
      return `expected ${issue.expected}, received ${kindOf(issue.input)}`;
    case "invalid_value":
      return `expected ${issue.values.length === 1 ? "" : "one of "}${issue.values.map(show).join(", ")}`;
    case "invalid_format":
      return issue.format === "regex" && issue.pattern
        ? `expected text that matches ${issue.pattern}`
        : `expected a valid ${issue.format}`;
    case "too_big":
      return `expected ${issue.inclusive ? "at most" : "less than"} ${amount(issue.maximum, issue.origin)}`;
    case "too_small":
      return `expected ${issue.inclusive ? "at least" : "more than"} ${amount(issue.minimum, issue.origin)}`;
    case "not_multiple_of":
      return `expected a multiple of ${issue.divisor}`;
    case "unrecognized_keys":
      return "is not a known field";
    case "invalid_key":
      return `has a key that is not valid (${issue.issues[0]?.message ?? "unknown"})`;
    case "invalid_union": {
      const name = "discriminator" in issue && issue.discriminator;
      if (!name) return "matches none of the alternatives";
      const found = (issue.input as Record<string, unknown> | undefined)?.[name];
      return found === undefined ? "is missing" : `${show(found)} is not a known ${name}`;
    }
    default:
      return "is not valid";
  }
}

const units: { readonly [origin: string]: string } = {
  string: "character",
  array: "item",
  set: "item",
  map: "entry",
  object: "field",
};

function amount(bound: number | bigint, origin: string): string {
  if (origin === "date") return new Date(Number(bound)).toISOString();
  const unit = units[origin];
  if (!unit) return String(bound);
  return `${bound} ${bound === 1 ? unit : unit === "entry" ? "entries" : `${unit}s`}`;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "an invalid date" : "date";
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : typeof value;
}

/** A value as part of a sentence. Long text is cut, because a peer may have chosen the value. */
function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 64 ? `${cut(value)}…` : value);
  return typeof value === "object" && value !== null ? kindOf(value) : String(value);
}

/** At most 64 characters. A surrogate pair at the end is not split. */
function cut(text: string): string {
  return text.length > 64 ? text.slice(0, 64).replace(/[\ud800-\udbff]$/, "") : text;
}

/**
 * Formats a path as `root.items[0].at`. Keys that are not plain names are quoted. Long keys are
 * cut, because a peer may have chosen the keys.
 */
export function formatPath(root: string, path: readonly PropertyKey[]): string {
  let text = root;
  for (const key of path) {
    const name = cut(String(key));
    if (typeof key === "number" || typeof key === "symbol") text += `[${String(key)}]`;
    else if (/^\([a-z]+\)$/.test(name)) text += `.${name}`;
    else if (/^[A-Za-z_$][\w$-]*$/.test(name)) text += text ? `.${name}` : name;
    else text += `[${JSON.stringify(name)}]`;
  }
  return text;
}

/**
 * If a schema threw because of a circular reference (the stack overflowed) or a getter, a walk over
 * the value finds the member at fault.
 */
export function memberFault<Refused extends { readonly ok: false; readonly fault: Fault }, Sent>(
  checked: Refused,
  walk: () => { readonly ok: true; readonly value: Sent } | Refused,
): Refused {
  const { cause } = checked.fault;
  if (cause === undefined) return checked;
  const sent = walk();
  return !sent.ok && (cause instanceof RangeError || sent.fault.cause !== undefined) ? sent : checked;
}
