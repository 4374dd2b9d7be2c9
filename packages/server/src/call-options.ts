import { HoldfastError } from "@holdfast/protocol";

/**
 * Whether a value can be the options of a call: an object literal, even of another realm, or an
 * object without a prototype. A Map, an array or a Promise that was not awaited has no members with
 * the names of options, so the call would silently use its defaults.
 */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * Names the kind of a value for an error: `null`, `array`, its type, or the class of an object that
 * is not plain, such as `Promise`.
 */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value !== "object" || isPlainObject(value)) return typeof value;
  const { constructor: made } = value;
  return typeof made === "function" && made.name !== "" ? made.name : "instance of a class";
}

/**
 * Names a value for an error: numbers and booleans as they are, otherwise the kind. Strings are not
 * repeated, because an option may hold a secret.
 */
export function received(value: unknown): string {
  return `received ${typeof value === "number" || typeof value === "boolean" ? value : kindOf(value)}`;
}

/**
 * Checks that `options` is a plain object with no other options than `names`.
 *
 * @throws HoldfastError INVALID_OPTION; `field` names the option
 */
export function checkOptions(call: string, options: unknown, names: readonly string[]): void {
  if (!isPlainObject(options)) {
    const remedy = "Pass an object literal with the options.";
    throw optionError(call, "options", `expected a plain object, ${received(options)}`, remedy);
  }
  const unknown = unknownOption(options, names);
  if (unknown) throw optionError(call, unknown.name, unknown.sentence, CORRECT_THE_NAME);
}

export const CORRECT_THE_NAME = "Correct the name, or leave the option out.";

/**
 * The first option that the call does not accept, and the sentence for the error. Undefined if all
 * options are known.
 */
export function unknownOption(
  options: object,
  names: readonly string[],
): { name: string; sentence: string } | undefined {
  const name = Object.keys(options).find((given) => !names.includes(given));
  if (name === undefined) return undefined;
  return {
    name,
    sentence: `is not an option; ${names.length > 1 ? "the options are" : "the only option is"} ${names.join(", ")}`,
  };
}

export function optionError(call: string, field: string, sentence: string, remedy?: string): HoldfastError {
  return new HoldfastError("INVALID_OPTION", `${call}: ${field}: ${sentence}.`, { field, remedy });
}
