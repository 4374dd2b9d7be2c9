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

/** A value of the application on its way through: validated, and made JSON or brought back. */
export type Checked<Value> = { ok: true; value: Value } | { ok: false; fault: Fault };

/**
 * A schema of the application, read once. Both directions validate; neither throws. `mostLevels` is
 * how deep a sent value may be nested; left out, as deep as every message can carry. `root` names
 * the value in error messages: `input`, `output`, `data`, `parameters`, `document`.
 */
export interface ValueSchema {
  readonly schema: Schema | undefined;
  /**
   * Validates a value about to be sent; unknown fields are dropped, so that nothing undeclared
   * leaks. The result is a copy in JSON. A value that the other side would read differently is
   * refused, naming the member.
   */
  send(value: unknown, root: string): Checked<RichValue>;
  /** Restores and validates a value that arrived. */
  receive(data: unknown, meta: unknown, root: string): Checked<unknown>;
}

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
 * Where the protocol declares no schema there is nothing to send; what a peer sends all the same is
 * ignored.
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
