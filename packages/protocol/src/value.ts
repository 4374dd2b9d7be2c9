import * as z from "zod/mini";
import type * as core from "zod/v4/core";
import { encodeValue, type RichValue } from "./codec/encode-value.js";
import { revive } from "./codec/rich-values.js";
import {
  describeIssue,
  type Fault,
  memberFault,
  restoreFault,
  thrownFault,
  undeclaredFault,
  wording,
} from "./issues.js";
import { readSchema, type Schema } from "./schema.js";

/**
 * The result of validating a value of the application: the value in the requested form, or the
 * fault.
 */
export type Checked<Value> = { ok: true; value: Value } | { ok: false; fault: Fault };

/**
 * Validates the values of one schema in both directions. Neither direction throws. `root`
 * names the value in error messages: `input`, `output`, `data`, `parameters` or `document`.
 */
export interface ValueSchema {
  readonly schema: Schema | undefined;
  /**
   * Validates a value before sending. Unknown fields are dropped, so that nothing undeclared leaks.
   * The result is a copy in JSON. If the other side would read the value differently, the value is
   * refused and the fault names the member.
   */
  send(value: unknown, root: string): Checked<RichValue>;
  /** Restores the rich values in a received value, then validates the result. */
  receive(data: unknown, meta: unknown, root: string): Checked<unknown>;
}

/**
 * Reads a schema. Without a schema, `send` refuses every value except `undefined`, and `receive`
 * ignores the value. `mostLevels` limits how deep a sent value may be nested; the default is a
 * depth that every message can carry.
 */
export function valueSchema(schema: Schema | undefined, mostLevels?: number): ValueSchema {
  if (!schema) return nothing;
  const facts = readSchema(schema);
  return {
    schema,
    send(value, root) {
      const checked = parse(schema, value, root);
      return checked.ok
        ? encodeValue(checked.value, root, facts, mostLevels)
        : memberFault(checked, () => encodeValue(value, root, facts, mostLevels));
    },
    receive(data, meta, root) {
      try {
        return parse(schema, revive(data, meta, facts.restored), root);
      } catch (error) {
        return { ok: false, fault: restoreFault("meta", error) };
      }
    },
  };
}

/**
 * Stands for a missing schema. A value of the application is refused, but a value of a peer is
 * ignored, because a newer peer may know a schema that this side does not.
 */
const nothing: ValueSchema = {
  schema: undefined,
  send: (value, root) =>
    value === undefined ? { ok: true, value: { data: value } } : { ok: false, fault: undeclaredFault(root) },
  receive: () => ({ ok: true, value: undefined }),
};

function parse(schema: Schema, value: unknown, root: string): Checked<unknown> {
  try {
    const result = z.safeParse(schema as core.$ZodType, value, wording);
    return result.success
      ? { ok: true, value: result.data }
      : { ok: false, fault: describeIssue(result.error.issues, root) };
  } catch (error) {
    return { ok: false, fault: thrownFault(root, error) };
  }
}
