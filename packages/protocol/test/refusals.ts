import { defineProtocol, type ProtocolDefinition } from "../src/define-protocol.js";
import { isHoldfastError } from "../src/errors.js";
import type { Schema } from "../src/schema.js";

/** The refusal of a definition: the place of the fault, and the message. */
export interface Refusal {
  readonly at: string;
  readonly message: string;
}

/** A protocol with one request `r`, whose input has the schema. */
export function define(input: Schema) {
  return defineProtocol({ name: "p", version: "1.0.0", requests: { r: { input } } });
}

/** Why the schema cannot be an input. The place is relative to `requests.r.input`. */
export function refusalOfInput(make: () => unknown): Refusal | undefined {
  return refusalOf({ requests: { r: { input: make() as Schema } } }, "requests.r.input");
}

/** Why the definition is refused; undefined if it is accepted. Rethrows any other error. */
export function refusalOf(part: Partial<ProtocolDefinition>, place: string): Refusal | undefined {
  try {
    defineProtocol({ name: "p", version: "1.0.0", ...part });
    return undefined;
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== "INVALID_PROTOCOL" || !error.field?.startsWith(place)) throw error;
    return { at: error.field.slice(place.length), message: error.message };
  }
}
