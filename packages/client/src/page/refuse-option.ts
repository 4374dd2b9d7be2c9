import { HoldfastError } from "@holdfast/protocol";

/** In a page's production build: code, field and remedy; the sentences are for whoever writes the options. */
export function refuse(field: string): never {
  throw new HoldfastError("INVALID_OPTION", `createClient: ${field}: is not valid.`, { field });
}
