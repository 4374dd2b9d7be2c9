import { type BuiltInErrorCode, remedyOf } from "./error-codes.js";
import type { WireError } from "./messages/wire-error.js";

// A registered symbol instead of `instanceof`, because an application can hold two copies of this
// file (ESM and CommonJS, or a bundled copy).
const brand = Symbol.for("holdfast.error");

/** The optional parts of a `HoldfastError`. */
export interface ErrorDetails {
  /** The path of the invalid value, such as `input.items[0].at`. */
  field?: string | undefined;
  /** How to fix the error. @default the remedy of the code in `errorCodes` */
  remedy?: string | undefined;
  /** The delay after which trying again can succeed. Milliseconds. */
  retryAfterMs?: number | undefined;
  /** The data of an error that a request declares. */
  data?: unknown;
  /** The error that caused this one. Never leaves the process. */
  cause?: unknown;
}

/**
 * Every error of Holdfast. Branch on `code`; `message` and `remedy` are for people, and `field` is
 * the path of the invalid value.
 */
export class HoldfastError<Code extends string = string> extends Error {
  override readonly name = "HoldfastError";
  // Declared without a value, because the constructor sets every field.
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

  /** The error that a peer sent. */
  static fromWire(wire: WireError): HoldfastError {
    // A peer must not set the cause.
    return new HoldfastError(wire.code, wire.message, {
      ...wire,
      retryAfterMs: wire.retry_after_ms,
      cause: undefined,
    });
  }
}

/** True if a caught value is an error of Holdfast, even if another copy of the package made it. */
export function isHoldfastError(value: unknown): value is HoldfastError<BuiltInErrorCode | (string & {})> {
  return typeof value === "object" && value !== null && brand in value;
}

/**
 * The part of an error that crosses the wire: code, message, field, remedy, delay and declared
 * data. The stack and the cause stay in the process.
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
