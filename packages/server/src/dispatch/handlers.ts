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
 * Built-in refusals that a handler or middleware may answer with, beside the errors its request
 * declares.
 */
export type RefusalCode = "FORBIDDEN" | "UNAVAILABLE" | "RATE_LIMITED" | "LIMIT_EXCEEDED" | "INVALID_INPUT";

export interface RefusalDetails {
  readonly field?: string;
  readonly remedy?: string;
  readonly retryAfterMs?: number;
}

/**
 * An error that its maker means the caller to read. Every other error reaches the caller as
 * INTERNAL.
 */
export class HandlerRefusal extends HoldfastError {}

/** What a handler is given. */
export interface RequestContext<P extends ProtocolDefinition, N extends RequestName<P>, I, Data = unknown> {
  readonly name: N;
  /** Validated. */
  readonly input: InputOf<P, N>;
  readonly session: Session<I, ParametersOf<P>, Data>;
  /**
   * Aborts when nobody waits any more: the caller cancelled, the time is up, the connection closed.
   */
  readonly signal: AbortSignal;
  /**
   * Makes an error for the caller to read: one that the request declares, with its data, or a
   * built-in refusal with a sentence. Throw it. @example throw error("UNKNOWN_AGENT", { id:
   * input.id })
   */
  error(code: RefusalCode, message: string, details?: RefusalDetails): HoldfastError<RefusalCode>;
  // Last, because a compiler's complaint is about the last one, and this is the one that is mostly
  // meant.
  error<C extends ErrorCodeOf<P, N>>(code: C, data: SentErrorDataOf<P, N, C>, message?: string): HoldfastError<C>;
}

export type Handler<P extends ProtocolDefinition, N extends RequestName<P>, I, Data = unknown> = (
  context: RequestContext<P, N, I, Data>,
) => SentOutputOf<P, N> | Promise<SentOutputOf<P, N>>;

/** What a middleware is given: any request, its input validated. */
export interface MiddlewareContext<I, Parameters = unknown, Data = unknown> {
  readonly name: string;
  readonly kind: RequestKind;
  readonly input: unknown;
  readonly session: Session<I, Parameters, Data>;
  readonly signal: AbortSignal;
  error(code: RefusalCode, message: string, details?: RefusalDetails): HoldfastError<RefusalCode>;
}

/** Runs around every handler, the first one outermost. What it returns is the output. */
export type Middleware<I, Parameters = unknown, Data = unknown> = (
  context: MiddlewareContext<I, Parameters, Data>,
  next: () => Promise<unknown>,
) => Promise<unknown>;

/** The context as the dispatcher makes it, before the types of one request are put on it. */
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

/** The application's handlers by the name of their request, and the middleware around them. */
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
   * @throws HoldfastError INVALID_OPTION when the protocol has no such request, or it has a handler
   *   already
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
   * @throws HoldfastError INVALID_OPTION when it is no function: those behind it would never be
   *   asked
   */
  use(middleware: UntypedMiddleware): void {
    if (typeof middleware !== "function")
      throw new HoldfastError("INVALID_OPTION", "use: expected a function.", { field: "middleware" });
    this.#middleware.push(middleware);
  }

  /** Requests of the protocol that nobody handles. */
  missing(): string[] {
    return [...this.#protocol.requests.keys()].filter((name) => !this.#handlers.has(name));
  }

  find(name: string): { contract: RequestContract; handler: UntypedHandler } | undefined {
    const contract = this.#protocol.requests.get(name);
    const handler = this.#handlers.get(name);
    return contract && handler && { contract, handler };
  }

  /**
   * Calls the handler inside the middleware. A synchronous handler without middleware costs no
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
