import * as z from "zod/mini";

/**
 * A refusal as it travels: what happened, which field, what to do about it. Never a stack, never a
 * secret.
 */
export const wireError = z.object({
  /** A row of the error-code table, or a code the request declares. */
  code: z.string().check(z.minLength(1), z.maxLength(64)),
  /** One sentence for a person. */
  message: z.string(),
  /** The path of the value at fault, such as `input.items[0].at`. */
  field: z.optional(z.string()),
  /** What to do about it. */
  remedy: z.optional(z.string()),
  /** Present when trying again later can succeed. Milliseconds. */
  retry_after_ms: z.optional(z.number().check(z.nonnegative())),
  /** The data of an error that a request declares. */
  data: z.optional(z.unknown()),
});
export type WireError = z.output<typeof wireError>;
