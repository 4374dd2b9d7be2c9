import type { Protocol, ProtocolDefinition } from "./define-protocol.js";
import { type HoldfastError, isHoldfastError } from "./errors.js";
import type { ErrorCodeOf, ErrorDataOf, RequestName } from "./infer.js";

/** The errors that a request declares, as a union to switch over by `code`. */
export type DeclaredError<P extends ProtocolDefinition, N extends RequestName<P>> = {
  [C in ErrorCodeOf<P, N>]: HoldfastError<C> & { readonly data: ErrorDataOf<P, N, C> };
}[ErrorCodeOf<P, N>];

/**
 * True if a caught value is one of the errors that the request declares. Narrows `code` and `data`.
 *
 * @example
 * catch (error) {
 *   if (isDeclaredError(agents, "agent.stop", error)) show(error.data.id);
 *   else throw error;
 * }
 */
export function isDeclaredError<P extends ProtocolDefinition, N extends RequestName<P>>(
  protocol: Protocol<P>,
  request: N,
  error: unknown,
): error is DeclaredError<P, N> {
  return isHoldfastError(error) && protocol.requests.get(request)?.errors.has(error.code) === true;
}
