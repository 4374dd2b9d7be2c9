import type { CloseInfoName, ConnectionState } from "./connection-state.js";

/**
 * The remedy for a missing connection. Users of a page read no remedies, so a page's production
 * build uses src/page/advice.ts instead and takes the text from the error-code table.
 */
export function remedyOf(
  state: ConnectionState,
  address: string,
  failure: CloseInfoName | undefined,
): string | undefined {
  switch (state.name) {
    case "idle":
      return undefined;
    case "unauthorized":
      return "Log in, or return a valid token from `token`. Then call connect().";
    case "closed":
      // If the application called disconnect(), there is nothing to fix.
      return failure === "DISCONNECTED" ? undefined : "Fix the cause that the message names. Then call connect().";
    default:
      return failure === "TOKEN_FAILED"
        ? "Return a token from `token` within `connectTimeoutMs`. The cause is the function's error."
        : `Check that the server is running and reachable at ${address}.`;
  }
}
