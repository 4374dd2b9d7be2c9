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
      return "Log in, or let `token` give a valid token; then call connect().";
    case "closed":
      // If the application called disconnect(), there is nothing to fix.
      return failure === "DISCONNECTED" ? undefined : "Correct what the message says, then call connect().";
    default:
      return failure === "TOKEN_FAILED"
        ? "Make `token` give a token within `connectTimeoutMs`. The cause is what it threw."
        : `Make sure that the server runs, and that ${address} leads to it.`;
  }
}
