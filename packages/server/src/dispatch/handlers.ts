import {
  type ErrorCodeOf,
  HoldfastError,
  type InputOf,
  type ParametersOf,
  type Protocol,
  type ProtocolDefinition,
  type RequestContract,
  type RequestKind,
  type RequestName,
  type SentErrorDataOf,
  type SentOutputOf,
} from "@holdfast/protocol";
import type { Unawaited } from "../observe/unawaited.js";
import type { Session } from "../session/session.js";

/**
 * Built-in error codes that a handler or middleware may answer with, in addition to the errors that
 * its request declares.
 */
export type RefusalCode = "FORBIDDEN" | "UNAVAILABLE" | "RATE_LIMITED" | "LIMIT_EXCEEDED" | "INVALID_INPUT";

export interface RefusalDetails {
  readonly field?: string;
  readonly remedy?: string;
  readonly retryAfterMs?: number;
}

/**
 * An error that is meant for the caller, created by `context.error`. The caller receives every
 * other error of a handler as INTERNAL, except a HoldfastError with the code UNAVAILABLE, which
 * keeps its code but not its text.
 */
export class HandlerRefusal extends HoldfastError {}

/**
 * The argument of a handler: the validated request, its session, the abort signal, and `error` to
 * refuse the request.
 */
export interface RequestContext<P extends ProtocolDefinition, N extends RequestName<P>, I, Data = unknown> {
  readonly name: N;
  /** The validated input. */
  readonly input: InputOf<P, N>;
  readonly session: Session<I, ParametersOf<P>, Data>;
  /**
   * Aborts when the result is no longer needed: the caller has cancelled, the time limit has
   * passed, or the connection has closed.
   */
  readonly signal: AbortSignal;
  /**
   * Creates an error that the caller receives; throw it. Pass either an error code that the request
   * declares, with its data, or a built-in code with a message.
   * @example throw error("UNKNOWN_AGENT", { id: input.id })
   */
  error(code: RefusalCode, message: string, details?: RefusalDetails): HoldfastError<RefusalCode>;
  // Declared last, because the compiler reports errors about the last overload, and most calls use
  // this one.
  error<C extends ErrorCodeOf<P, N>>(code: C, data: SentErrorDataOf<P, N, C>, message?: string): HoldfastError<C>;
}

export type Handler<P extends ProtocolDefinition, N extends RequestName<P>, I, Data = unknown> = (
  context: RequestContext<P, N, I, Data>,
) => SentOutputOf<P, N> | Promise<SentOutputOf<P, N>>;

/** The argument of a middleware: any request, with its input validated. */
export interface MiddlewareContext<I, Parameters = unknown, Data = unknown> {
  readonly name: string;
  readonly kind: RequestKind;
  readonly input: unknown;
  readonly session: Session<I, Parameters, Data>;
  readonly signal: AbortSignal;
  error(code: RefusalCode, message: string, details?: RefusalDetails): HoldfastError<RefusalCode>;
}

/**
 * Runs around every handler. The middleware added first is the outermost, and its return value
 * becomes the output.
 */
export type Middleware<I, Parameters = unknown, Data = unknown> = (
  context: MiddlewareContext<I, Parameters, Data>,
  next: () => Promise<unknown>,
) => Promise<unknown>;

/** The context that `Requests` creates, before the types of one request are applied. */
export interface UntypedContext {
  readonly name: string;
  readonly kind: RequestKind;
  readonly input: unknown;
  readonly session: Session;
  readonly signal: AbortSignal;
  error(code: string, dataOrMessage: unknown, messageOrDetails?: unknown): HoldfastError;
}
export type UntypedHandler = (context: UntypedContext) => unknown;
export type UntypedMiddleware = (context: UntypedContext, next: () => Promise<unknown>) => Promise<unknown>;

/** The application's handlers by request name, and the middleware that runs around them. */
export class Handlers {
  readonly #protocol: Protocol;
  readonly #handlers = new Map<string, UntypedHandler>();
  readonly #middleware: UntypedMiddleware[] = [];
  readonly #unawaited: Unawaited;

  constructor(protocol: Protocol, unawaited: Unawaited) {
    this.#protocol = protocol;
    this.#unawaited = unawaited;
  }

  /**
   * Adds the handler of one request.
   * @throws HoldfastError INVALID_OPTION if the protocol has no such request, if `handler` is not a
   *   function, or if the request has a handler already
   */
  add(name: string, handler: UntypedHandler): void {
    if (!this.#protocol.requests.has(name)) {
      throw new HoldfastError(
        "INVALID_OPTION",
        `handle: the protocol ${this.#protocol.name} has no request ${JSON.stringify(name)}.`,
        { field: name },
      );
    }
    if (typeof handler !== "function") {
      throw new HoldfastError("INVALID_OPTION", `handle: ${name}: expected a function.`, { field: name });
    }
    if (this.#handlers.has(name)) {
      throw new HoldfastError("INVALID_OPTION", `handle: the request ${name} has a handler already.`, { field: name });
    }
    this.#handlers.set(name, handler);
  }

  /**
   * Adds a middleware around all handlers.
   * @throws HoldfastError INVALID_OPTION if `middleware` is not a function. Without this check,
   *   every later request would fail.
   */
  use(middleware: UntypedMiddleware): void {
    if (typeof middleware !== "function")
      throw new HoldfastError("INVALID_OPTION", "use: expected a function.", { field: "middleware" });
    this.#middleware.push(middleware);
  }

  /** The names of requests that have no handler. */
  missing(): string[] {
    return [...this.#protocol.requests.keys()].filter((name) => !this.#handlers.has(name));
  }

  find(name: string): { contract: RequestContract; handler: UntypedHandler } | undefined {
    const contract = this.#protocol.requests.get(name);
    const handler = this.#handlers.get(name);
    return contract && handler && { contract, handler };
  }

  /**
   * Calls the handler inside the middleware. Without middleware, a synchronous handler creates no
   * promise.
   */
  run(handler: UntypedHandler, context: UntypedContext): unknown {
    if (this.#middleware.length === 0) return handler(context);
    const step = async (index: number): Promise<unknown> => {
      const middleware = this.#middleware[index];
      if (!middleware) return handler(context);
      return middleware(context, () => this.#unawaited("next", { request: context.name }, step(index + 1)));
    };
    return step(0);
  }
}
