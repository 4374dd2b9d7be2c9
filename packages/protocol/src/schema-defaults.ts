import * as z from "zod/mini";
import type * as core from "zod/v4/core";
import { dehydrate } from "./codec/dehydrate.js";

/**
 * Why a default cannot be used: it fills in what the other side, or the generated reference, could
 * not read.
 */
export function defaultFault(def: core.$ZodDefaultDef | core.$ZodPrefaultDef): string | undefined {
  const value: unknown = def.defaultValue;
  if (value === undefined) return "has undefined as its default; use z.optional()";
  if (value instanceof Promise) {
    value.catch(() => {});
    return "has an asynchronous default; fill it in before the value is sent";
  }
  if (typeof value === "function" || typeof value === "symbol")
    return `has a ${typeof value} as its default, which cannot travel`;
  try {
    dehydrate(value);
  } catch (error) {
    return `has a default that cannot travel: ${(error as Error).message.replace(/\.$/, "")}`;
  }
  return matches(def.innerType, value)
    ? undefined
    : "has a default that its own schema refuses, so the other side would refuse it";
}

function matches(schema: core.$ZodType, value: unknown): boolean {
  try {
    return z.safeParse(schema, value).success;
  } catch {
    // A check that turns out to be asynchronous tells so when the first value is sent.
    return true;
  }
}
