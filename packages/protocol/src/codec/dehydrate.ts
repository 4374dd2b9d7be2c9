import type { RichTag } from "../schema.js";
import { encodeValue, type RichValue } from "./encode-value.js";

const everyTag: ReadonlySet<RichTag> = new Set(["Date", "bigint", "map", "set", "undefined", "number"]);

/**
 * The JSON of a value whose schema does not matter: an example, a default.
 *
 * @throws Error with a sentence about the member that cannot travel
 */
export function dehydrate(value: unknown): RichValue {
  const sent = encodeValue(value, "value", { rich: everyTag, restored: everyTag });
  if (!sent.ok) throw new Error(sent.fault.message);
  return sent.value;
}
