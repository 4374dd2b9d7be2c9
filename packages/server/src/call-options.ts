import { HoldfastError } from "@holdfast/protocol";

/**
 * Whether a value can hold the options of a call: an object literal, also of another realm, or an
 * object without a prototype. A Map, a Promise that was not awaited or an array has no members with
 * the names of options, so a call would run with its defaults.
 */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * What an error calls a value: `null`, `array`, its type, or the class of an object that is not
 * plain, such as `Promise`.
 */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value !== "object" || isPlainObject(value)) return typeof value;
  const { constructor: made } = value;
  return typeof made === "function" && made.name !== "" ? made.name : "instance of a class";
}

/**
 * Refuses options that are no plain object, and an option that the call does not have.
 *
 * @throws HoldfastError INVALID_OPTION, naming the option
 */
export function checkOptions(call: string, options: unknown, names: readonly string[]): void {
  if (!isPlainObject(options)) {
    const remedy = "Pass an object with the options by their names.";
    throw optionError(call, "options", `expected a plain object, received ${kindOf(options)}`, remedy);
  }
  const unknown = unknownOption(options, names);
  if (unknown) throw optionError(call, unknown.name, unknown.sentence, CORRECT_THE_NAME);
}

export const CORRECT_THE_NAME = "Correct the name, or leave it out.";

/** The first option that a call does not have, and the sentence that refuses it. */
export function unknownOption(
  options: object,
  names: readonly string[],
): { name: string; sentence: string } | undefined {
  const name = Object.keys(options).find((given) => !names.includes(given));
  if (name === undefined) return undefined;
  return { name, sentence: `is not an option; ${names.length > 1 ? "there are" : "there is"} ${names.join(", ")}` };
}

export function optionError(call: string, field: string, sentence: string, remedy?: string): HoldfastError {
  return new HoldfastError("INVALID_OPTION", `${call}: ${field}: ${sentence}.`, { field, remedy });
}
