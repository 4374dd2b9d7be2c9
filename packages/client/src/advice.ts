import type { CloseInfoName, ConnectionState } from "./connection-state.js";

/**
 * What helps against having no connection. A page in production, whose users read no remedies, gets
 * src/page/advice.ts instead, and with it the text of the error-code table.
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
      // If it ended by itself, the same would happen again.
      return failure === "DISCONNECTED" ? undefined : "Correct what the message says, then call connect().";
    default:
      return failure === "TOKEN_FAILED"
        ? "Make `token` give a token within `connectTimeoutMs`. The cause is what it threw."
        : `Make sure that the server runs, and that ${address} leads to it.`;
  }
}
