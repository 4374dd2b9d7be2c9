import * as z from "zod/mini";
import type * as core from "zod/v4/core";
import { dehydrate } from "./codec/dehydrate.js";

/**
 * Says why a default cannot be used; undefined if it can. A default has to be a value that the
 * other side, and the generated reference, can read.
 */
export function defaultFault(def: core.$ZodDefaultDef | core.$ZodPrefaultDef): string | undefined {
  const value: unknown = def.defaultValue;
  if (value === undefined) return "has undefined as its default; use z.optional() instead";
  if (value instanceof Promise) {
    value.catch(() => {});
    return "has an asynchronous default; compute it in your code before the value is sent";
  }
  if (typeof value === "function" || typeof value === "symbol")
    return `has a ${typeof value} as its default, which cannot be sent`;
  try {
    dehydrate(value);
  } catch (error) {
    return `has a default that cannot be sent: ${(error as Error).message.replace(/\.$/, "")}`;
  }
  return matches(def.innerType, value)
    ? undefined
    : "has a default that its own schema rejects, so the other side would reject it too";
}

function matches(schema: core.$ZodType, value: unknown): boolean {
  try {
    return z.safeParse(schema, value).success;
  } catch {
    // A check that turns out to be asynchronous is reported when the first value is sent.
    return true;
  }
}
