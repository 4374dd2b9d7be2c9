import { HoldfastError } from "@holdfast/protocol";

/**
 * In a page's production build the error names only the option. The development build explains the
 * fault.
 */
export function refuse(field: string): never {
  throw new HoldfastError("INVALID_OPTION", `createClient: ${field} is not valid.`, { field });
}
