import { HoldfastError } from "@holdfast/protocol";

export function refuse(field: string, sentence: string): never {
  throw new HoldfastError("INVALID_OPTION", `createClient: ${field}: ${sentence}.`, { field });
}
