import { jsonSchema } from "@holdfast/protocol/describe";
import { mayBeLeftOut } from "@holdfast/protocol/internal";
import type { DocumentedValue } from "./application.js";
import { fieldsOf, typeOf } from "./fields.js";
import type { Block } from "./reference.js";

/** The field table of a value of the application. */
export function valueFields(caption: string, { schema, examples }: DocumentedValue): Block {
  const described = jsonSchema(schema);
  const rows = fieldsOf(described, !mayBeLeftOut(schema) && examples[0].data !== undefined);
  const whole = typeOf(described, described);
  return {
    kind: "fields",
    caption: rows.length > 0 || whole !== "object" ? caption : `${caption}: no fields`,
    fields: rows,
  };
}
