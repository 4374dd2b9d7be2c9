import type { RichTag } from "../schema.js";
import { encodeValue, type RichValue } from "./encode-value.js";

const everyTag: ReadonlySet<RichTag> = new Set(["Date", "bigint", "map", "set", "undefined", "number"]);

/**
 * Returns the JSON and the annotations of a value without regard to a schema. Used for the examples
 * and defaults of a schema.
 *
 * @throws Error if a member cannot be sent; the message names the member
 */
export function dehydrate(value: unknown): RichValue {
  const sent = encodeValue(value, "value", { rich: everyTag, restored: everyTag });
  if (!sent.ok) throw new Error(sent.fault.message);
  return sent.value;
}
