import * as z from "zod/mini";

/**
 * An error on the wire: the problem, the field and the remedy. Never contains a stack trace or a
 * secret.
 */
export const wireError = z.object({
  /** A code of the error-code table, or a code that the request declares. */
  code: z.string().check(z.minLength(1), z.maxLength(64)),
  /** The problem, in one sentence for people. */
  message: z.string(),
  /** The path of the invalid value, such as `input.items[0].at`. */
  field: z.optional(z.string()),
  /** How to fix the error. */
  remedy: z.optional(z.string()),
  /** Present if trying again after this delay can succeed. Milliseconds. */
  retry_after_ms: z.optional(z.number().check(z.nonnegative())),
  /** The data of an error that the request declares. */
  data: z.optional(z.unknown()),
});
export type WireError = z.output<typeof wireError>;
