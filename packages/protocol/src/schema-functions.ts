import type * as core from "zod/v4/core";
import type { Schema } from "./schema.js";

/**
 * Checks the functions that an application gives to zod: refinements, checks, overwrites and
 * catches. A frame is read within one turn of the event loop, so that messages keep their order.
 * Therefore none of these functions may be asynchronous.
 */

const ASYNC = "has an asynchronous check; make the check synchronous, or move it into the handler";

/**
 * Says why a function of this schema cannot be used; undefined if no fault is found. Some faults
 * show only when a value is validated.
 */
export function functionFault(schema: Schema): string | undefined {
  const { def } = schema._zod as { def: FunctionHolder };
  if ([def.fn, def.catchValue].some(isAsync)) return ASYNC;
  if (typeof def.fn === "function") silence(schema);
  for (const check of (schema as core.$ZodType)._zod.def.checks ?? []) {
    const { fn, tx } = check._zod.def as FunctionHolder;
    if ([fn, tx, check._zod.check].some(isAsync)) return ASYNC;
    silence(check);
    if (tx) {
      const fault = overwriteFault(tx, def.type);
      if (fault) return fault;
    }
  }
  return undefined;
}

interface FunctionHolder {
  readonly type?: string;
  readonly fn?: unknown;
  readonly catchValue?: unknown;
  readonly tx?: (value: unknown) => unknown;
}

function isAsync(value: unknown): boolean {
  return typeof value === "function" && Object.prototype.toString.call(value) === "[object AsyncFunction]";
}

const silenced = new WeakSet<object>();

/**
 * Some functions turn out to be asynchronous only at run time: functions that were compiled for old
 * engines, and functions that return the promise of another function. In that case zod throws and
 * drops the promise. If the promise then rejected, Node would end the process. So each check is
 * wrapped to handle that rejection; the result is unchanged.
 */
function silence(check: { readonly _zod: unknown }): void {
  const inside = check._zod as { check?: (payload: unknown) => unknown };
  const { check: run } = inside;
  if (!run || silenced.has(inside)) return;
  silenced.add(inside);
  inside.check = (payload) => {
    const result = run(payload);
    if (result instanceof Promise) result.catch(() => {});
    return result;
  };
}

/**
 * The values that an overwrite is tried with: strings with both cases, spaces and a composed
 * character; numbers with a fraction, a sign and many digits; an empty list.
 */
const SAMPLES: { readonly [type: string]: readonly unknown[] } = {
  string: ["  Ab-Ç1 ", "x"],
  number: [-1.5, 1, 12_345.678],
  bigint: [-2n, 3n],
  boolean: [true, false],
  date: [new Date(1.5e12)],
  array: [[]],
};

/** Compares lists only by their length, because the type of their items is unknown here. */
function isSame(one: unknown, two: unknown): boolean {
  if (one instanceof Date && two instanceof Date) return one.getTime() === two.getTime();
  if (Array.isArray(one) && Array.isArray(two)) return one.length === two.length;
  return Object.is(one, two);
}

/**
 * Both sides parse a value, so an overwrite runs twice. `trim` does not change a trimmed string
 * again; an overwrite that changes its own result would give each side a different value.
 */
function overwriteFault(tx: (value: unknown) => unknown, type: string | undefined): string | undefined {
  for (const sample of SAMPLES[type ?? ""] ?? []) {
    try {
      const once = tx(sample);
      if (once instanceof Promise) {
        once.catch(() => {});
        return ASYNC;
      }
      if (!isSame(tx(once), once))
        return "overwrites its value again when the other side parses it; convert the value in your own code instead";
    } catch {
      // The function expects other values, so this sample proves nothing.
    }
  }
  return undefined;
}
