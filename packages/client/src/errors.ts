import { type BuiltInErrorCode, type Fault, HoldfastError, isHoldfastError, type Logger } from "@holdfast/protocol";
import { emitter } from "./observable.js";
import { host } from "./host.js";

/** Where an error without a caller comes from. */
export interface ErrorContext {
  /**
   * - `event`: the data of an event does not match the protocol; the event was not delivered
   * - `handler`: a handler of the application threw or rejected (`cause` is what it threw), has not
   *   finished after 30 s, or is waited for by so many events that some were dropped
   * - `listener`: a listener of a status threw
   * - `message`: a message of the server could not be read
   * - `document`: the document of a channel does not match the protocol, or the server contradicts
   *   itself about it
   * - `send`: a message was not sent, because it is larger than the server accepts
   * - `storage`: the storage given to `keepPositions` failed; positions are not kept, or were not
   *   found
   * - `server`: the server refused something that has no answer of its own
   * - `call`: `request` or `join` rejected, and nothing awaited it; a page in production leaves
   *   that to its browser, as an unhandled rejection
   */
  readonly source: "event" | "handler" | "listener" | "message" | "document" | "send" | "storage" | "server" | "call";
  readonly channel?: string | undefined;
  readonly event?: string | undefined;
  readonly request?: string | undefined;
}

export type ErrorListener = (error: HoldfastError, context: ErrorContext) => void;

export interface ErrorReporter {
  /** Takes whatever was thrown. */
  report(fault: unknown, context: ErrorContext): void;
  on(listener: ErrorListener): () => void;
}

export type ReportError = ErrorReporter["report"];

/**
 * `isHeard`: whether the application gave a logger. If it neither did nor listens, the console is
 * told.
 */
export function createErrors(logger: Logger, isHeard: boolean): ErrorReporter {
  const cry = (error: unknown, context: unknown): void => {
    if (!isHeard) host.console?.error(error, context);
  };
  const listeners = emitter<[HoldfastError, ErrorContext]>((error) => {
    const sentence = "A listener threw.";
    logger.error({ error }, sentence);
    cry(error, sentence);
  });
  return {
    report(fault, context) {
      const error = isHoldfastError(fault) ? fault : failed(fault, context);
      logger.warn({ ...context, error }, error.message);
      if (listeners.size > 0) listeners.emit(error, context);
      else cry(error, context);
    },
    on: listeners.on,
  };
}

function failed(cause: unknown, { source, channel, event }: ErrorContext): HoldfastError {
  const where = [source, channel, event].filter((part) => part !== undefined).join(" ");
  let text;
  try {
    text = String(cause);
  } catch {
    // An object without a prototype has no text. If this threw, the channel would wait for its
    // handler for ever.
    text = typeof cause;
  }
  return new HoldfastError("HANDLER_FAILED", `${where} threw: ${text}`, { cause });
}

/** A fault that validation found, as the error of whoever has to know of it. */
export function faultError(code: BuiltInErrorCode, where: string, { message, ...details }: Fault): HoldfastError {
  return new HoldfastError(code, `${where}: ${message}`, details);
}
