import type * as core from "zod/v4/core";
import type { Schema } from "./schema.js";

/**
 * The functions that an application gives to zod: refinements, checks, overwrites and catches. A
 * frame is read within one turn, so that messages keep their order; none of these functions may be
 * asynchronous.
 */

const ASYNC = "has an asynchronous check; make it synchronous, or check this in the handler";

/**
 * Why a function of this schema cannot be used; undefined if all can, as far as can be known before
 * the first value.
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
 * Some functions turn out to be asynchronous only when they run: those that a compiler wrote for
 * old engines, and those that return another function's promise. zod then throws and forgets the
 * promise. If that promise rejects, Node ends the process, so every check gets a second reader of
 * its promise. The check itself does not change.
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
 * What an overwrite is tried with: letters of both cases, spaces and a composed character; a
 * fraction, a sign, a large number; an empty list.
 */
const SAMPLES: { readonly [type: string]: readonly unknown[] } = {
  string: ["  Ab-Ç1 ", "x"],
  number: [-1.5, 1, 12_345.678],
  bigint: [-2n, 3n],
  boolean: [true, false],
  date: [new Date(1.5e12)],
  array: [[]],
};

/** Of lists only the length is compared: what is in them is known to the application alone. */
function isSame(one: unknown, two: unknown): boolean {
  if (one instanceof Date && two instanceof Date) return one.getTime() === two.getTime();
  if (Array.isArray(one) && Array.isArray(two)) return one.length === two.length;
  return Object.is(one, two);
}

/**
 * `trim` and its like change a value once. An overwrite that changes it again gives each side
 * another value.
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
        return "overwrites its value again when the other side parses it; convert in your own code instead";
    } catch {
      // A function that is meant for other values says nothing about this one.
    }
  }
  return undefined;
}
