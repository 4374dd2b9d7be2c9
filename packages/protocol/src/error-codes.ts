/**
 * Every refusal has one of these codes. Docs, both sides and the tests read these rows. A request may declare codes of its
 * own beside them (`errors` in its definition).
 */
export interface ErrorCode {
  readonly code: string;
  /** When it happens. */
  readonly meaning: string;
  /** Whether the same call can succeed later. */
  readonly retryable: boolean;
  /** What to do about it; the text a peer receives. */
  readonly remedy: string;
}

export const errorCodes = [
  // A peer sent something wrong.
  {
    code: "BAD_MESSAGE",
    meaning: "The message cannot be read or is not of the protocol.",
    retryable: false,
    remedy: "Send a message that matches the protocol reference.",
  },
  {
    code: "INVALID_INPUT",
    meaning: "The input of a request does not match its schema.",
    retryable: false,
    remedy: "Correct the field named.",
  },
  {
    code: "UNKNOWN_REQUEST",
    meaning: "The protocol has no request of this name, or the server no handler for it.",
    retryable: false,
    remedy: "Check the name, and that both sides run the same version of the protocol.",
  },
  {
    code: "UNKNOWN_CHANNEL",
    meaning: "The protocol has no such channel, or its key is invalid.",
    retryable: false,
    remedy: "Check the channel's name and key.",
  },
  {
    code: "UNAUTHENTICATED",
    meaning: "The credential is missing, invalid or expired.",
    retryable: false,
    remedy: "Send a valid token.",
  },
  { code: "FORBIDDEN", meaning: "The credential does not allow this.", retryable: false, remedy: "Ask for access." },
  {
    code: "LIMIT_EXCEEDED",
    meaning: "A limit of the connection is reached: subscriptions, requests in flight, or their ids.",
    retryable: true,
    remedy: "Release some first.",
  },
  {
    code: "RATE_LIMITED",
    meaning: "Too many messages in a short time.",
    retryable: true,
    remedy: "Wait for retry_after_ms.",
  },
  // The server could not do it.
  {
    code: "INTERNAL",
    meaning: "The server failed. Its log has the details.",
    retryable: true,
    remedy: "Try again; if it persists, tell the operator.",
  },
  {
    code: "INVALID_OUTPUT",
    meaning: "A handler returned what its schema does not allow. The server's log has the details.",
    retryable: false,
    remedy: "Tell the operator.",
  },
  {
    code: "UNAVAILABLE",
    meaning: "The server is closing, or what it depends on is down.",
    retryable: true,
    remedy: "Try again later.",
  },
  { code: "TIMEOUT", meaning: "No answer came in time.", retryable: true, remedy: "Try again, or allow more time." },
  {
    code: "CANCELLED",
    meaning: "The caller gave up.",
    retryable: false,
    remedy: "Nothing: this is what the caller asked for.",
  },
  // The client could not do it.
  {
    code: "NOT_CONNECTED",
    meaning: "The client is not connected and will not connect by itself.",
    retryable: true,
    remedy: "Call connect().",
  },
  {
    code: "CONNECTION_LOST",
    meaning: "The connection dropped before the answer; the request may or may not have taken effect.",
    retryable: true,
    remedy: "Find out whether it took effect before you repeat it.",
  },
  {
    code: "PROTOCOL_MISMATCH",
    meaning: "Client and server run different protocols.",
    retryable: false,
    remedy: "Deploy the same version of the protocol on both sides.",
  },
  // The application's own code is wrong.
  {
    code: "INVALID_PROTOCOL",
    meaning: "A protocol definition is wrong.",
    retryable: false,
    remedy: "Correct the place named.",
  },
  {
    code: "INVALID_VALUE",
    meaning: "A value to be sent does not match its schema.",
    retryable: false,
    remedy: "Correct the field named.",
  },
  {
    code: "HANDLER_FAILED",
    meaning: "A handler or listener that the application gave to the client threw.",
    retryable: false,
    remedy: "Look at the cause and correct the handler.",
  },
  { code: "INVALID_OPTION", meaning: "An option is wrong.", retryable: false, remedy: "Correct the option named." },
] as const satisfies readonly ErrorCode[];

export type BuiltInErrorCode = (typeof errorCodes)[number]["code"];

const byCode = new Map<string, ErrorCode>(errorCodes.map((row) => [row.code, row]));

/** The row of a built-in error code; undefined for a code that a request declares. */
export function errorCode(code: string): ErrorCode | undefined {
  return byCode.get(code);
}
