/**
 * What helps against having no connection. A page in production, whose users read no remedies, gets src/page/advice.ts instead,
 * and with it the text of the error-code table.
 */
export const advice: {
  readonly unauthorized?: string;
  readonly ended?: string;
  unreachable?(address: string, failure: string | undefined): string;
} = {
  unauthorized: "Log in, or let `token` give a valid token; then call connect().",
  ended: "Correct what the message says, then call connect().",
  unreachable: (address, failure) =>
    failure === "TOKEN_FAILED"
      ? "Make `token` give a token within `connectTimeoutMs`. The cause is what it threw."
      : `Make sure that the server runs, and that ${address} leads to it.`,
};
