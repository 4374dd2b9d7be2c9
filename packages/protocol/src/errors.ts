import { type BuiltInErrorCode, remedyOf } from "./error-codes.js";
import type { WireError } from "./messages/wire-error.js";

// A registered symbol, not instanceof: an application can hold two copies of this file (ESM and
// CJS, or a bundled one).
const brand = Symbol.for("holdfast.error");

export interface ErrorDetails {
  /** The path of the value at fault, such as `input.items[0].at`. */
  field?: string | undefined;
  /** What to do about it. @default the remedy of the error-code table */
  remedy?: string | undefined;
  /** Present when trying again later can succeed. Milliseconds. */
  retryAfterMs?: number | undefined;
  /** The data of an error that a request declares. */
  data?: unknown;
  /** What caused it. Never leaves the process. */
  cause?: unknown;
}

/** Every error of Holdfast: a code to branch on, a sentence, the field, a remedy. */
export class HoldfastError<Code extends string = string> extends Error {
  override readonly name = "HoldfastError";
  // Declared only: the constructor sets each of them, and once is enough.
  declare readonly code: Code;
  declare readonly field: string | undefined;
  declare readonly remedy: string | undefined;
  declare readonly retryAfterMs: number | undefined;
  declare readonly data: unknown;

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : details);
    Object.defineProperty(this, brand, { value: true });
    this.code = code;
    this.field = details.field;
    this.remedy = details.remedy ?? remedyOf(code);
    this.retryAfterMs = details.retryAfterMs;
    this.data = details.data;
  }

  static fromWire(wire: WireError): HoldfastError {
    // No peer has a say in the cause.
    return new HoldfastError(wire.code, wire.message, {
      ...wire,
      retryAfterMs: wire.retry_after_ms,
      cause: undefined,
    });
  }
}

/**
 * Whether a caught value is an error of Holdfast, also when another copy of the package made it.
 */
export function isHoldfastError(value: unknown): value is HoldfastError<BuiltInErrorCode | (string & {})> {
  return typeof value === "object" && value !== null && brand in value;
}

/**
 * What of an error crosses the wire: its code, sentence, field, remedy and declared data; no stack,
 * no cause.
 */
export function toWire(error: HoldfastError): WireError {
  return {
    code: error.code,
    message: error.message,
    ...(error.field !== undefined && { field: error.field }),
    ...(error.remedy !== undefined && { remedy: error.remedy }),
    ...(error.retryAfterMs !== undefined && { retry_after_ms: error.retryAfterMs }),
    ...(error.data !== undefined && { data: error.data }),
  };
}
