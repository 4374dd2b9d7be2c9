import { HoldfastError } from "@holdfast/protocol";

/**
 * In a page's production build: code and field. Development has the sentences for the author of the
 * options.
 */
export function refuse(field: string): never {
  throw new HoldfastError("INVALID_OPTION", `createClient: ${field}: is not valid.`, { field });
}
