import { type BuiltInErrorCode, type Fault, HoldfastError, isHoldfastError, type Logger } from "@holdfast/protocol";
import { emitter } from "./observable.js";
import { host } from "./host.js";

/** The origin of an error that no caller waits for. */
export interface ErrorContext {
  /**
   * - `event`: the data of an event does not match the protocol; the event was not delivered
   * - `handler`: a handler of the application threw or rejected (`cause` is the handler's error),
   *   has not finished after 30 s, or made so many events wait that some were dropped
   * - `listener`: a listener of a status threw
   * - `message`: a message of the server could not be read
   * - `document`: the document of a channel does not match the protocol, or the server's messages
   *   about the document contradict each other
   * - `send`: a message was not sent, because its size exceeds the server's limit
   * - `storage`: the storage passed to `keepPositions` failed; positions were not stored or could
   *   not be read
   * - `server`: the server refused a message that has no response
   * - `call`: `request` or `join` rejected, and no caller handled the rejection; on a page in
   *   production the browser reports an unhandled rejection instead
   */
  readonly source: "event" | "handler" | "listener" | "message" | "document" | "send" | "storage" | "server" | "call";
  readonly channel?: string | undefined;
  readonly event?: string | undefined;
  readonly request?: string | undefined;
}

export type ErrorListener = (error: HoldfastError, context: ErrorContext) => void;

export interface ErrorReporter {
  /** Accepts any thrown value. */
  report(fault: unknown, context: ErrorContext): void;
  on(listener: ErrorListener): () => void;
}

export type ReportError = ErrorReporter["report"];

/**
 * `isHeard`: true if the application passed a logger. If there is neither a logger nor a listener,
 * errors go to the console.
 */
export function createErrors(logger: Logger, isHeard: boolean): ErrorReporter {
  const cry = (error: unknown, context: unknown): void => {
    if (!isHeard) host.console?.error(error, context);
  };
  const listeners = emitter<[HoldfastError, ErrorContext]>((error) => {
    const sentence = "listener threw";
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
    // An object without a prototype cannot be converted to a string. If this line threw, the
    // channel's queue would wait for the handler forever.
    text = typeof cause;
  }
  return new HoldfastError("HANDLER_FAILED", `${where} threw: ${text}`, { cause });
}

/** Converts a validation fault into an error. */
export function faultError(code: BuiltInErrorCode, where: string, { message, ...details }: Fault): HoldfastError {
  return new HoldfastError(code, `${where}: ${message}`, details);
}
