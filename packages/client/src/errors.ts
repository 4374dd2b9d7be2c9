import { type BuiltInErrorCode, type Fault, HoldfastError, isHoldfastError } from "@holdfast/protocol";
import { emitter } from "./observable.js";
import type { Logger } from "./options.js";

/** Where an error without a caller comes from. */
export interface ErrorContext {
  /**
   * - `event`: the data of an event does not match the protocol; the event was not delivered
   * - `handler`: a handler of the application threw or rejected (`cause` is what it threw)
   * - `listener`: a listener of a status threw
   * - `message`: a message of the server could not be read
   * - `state`: the document of a channel does not match the protocol, or the server contradicts itself about it
   * - `storage`: the storage given to `keepPositions` failed; positions are not kept, or were not found
   * - `server`: the server refused something that has no answer of its own
   */
  readonly source: "event" | "handler" | "listener" | "message" | "state" | "storage" | "server";
  readonly channel?: string | undefined;
  readonly event?: string | undefined;
}

export type ErrorListener = (error: HoldfastError, context: ErrorContext) => void;

export interface Errors {
  /** Takes whatever was thrown. */
  report(fault: unknown, context: ErrorContext): void;
  on(listener: ErrorListener): () => void;
}

export type ReportError = Errors["report"];

export function createErrors(logger: Logger): Errors {
  const listeners = emitter<[HoldfastError, ErrorContext]>((fault) =>
    logger.error({ error: fault }, "A listener of onError threw."),
  );
  return {
    report(fault, context) {
      const error = isHoldfastError(fault) ? fault : failed(fault, context);
      logger.warn({ ...context, error }, error.message);
      listeners.emit(error, context);
    },
    on: listeners.on,
  };
}

function failed(cause: unknown, { source, channel, event }: ErrorContext): HoldfastError {
  const where = [source, channel, event].filter((part) => part !== undefined).join(" ");
  return new HoldfastError("HANDLER_FAILED", `${where} threw: ${String(cause)}`, { cause });
}

/** A fault that validation found, as the error of whoever has to know of it. */
export function faultError(code: BuiltInErrorCode, where: string, { message, ...details }: Fault): HoldfastError {
  return new HoldfastError(code, `${where}: ${message}`, details);
}
