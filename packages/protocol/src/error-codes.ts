/**
 * Every refusal has one of these codes. Docs, both sides and the tests read these rows. A request
 * may declare codes of its own beside them (`errors` in its definition).
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

/** The half of a row that is needed while running. A page downloads neither half. */
const remedies = {
  BAD_MESSAGE: "Deploy the same version of the protocol on both sides, or correct the message.",
  UNKNOWN_REQUEST: "Deploy the same version of the protocol on both sides, or correct the name.",
  UNKNOWN_CHANNEL: "Correct the name or the key.",
  LIMIT_EXCEEDED: "Release some first.",
  INVALID_OUTPUT: "Tell the operator.",
  TIMEOUT: "Try again, or allow more time.",
  CANCELLED: "None: it was asked for.",
  NOT_CONNECTED: "Correct the cause named, if any, then call connect().",
  CONNECTION_LOST: "If it has not taken effect, repeat it.",
  PROTOCOL_MISMATCH: "Deploy the same version of the protocol on both sides.",
  INVALID_VALUE: "Correct the field named.",
  HANDLER_FAILED: "Correct the handler.",
  INVALID_OPTION: "Correct the option.",
  STATE_DELETED: "None: it is gone.",
  INVALID_INPUT: "Correct the field named.",
  UNAUTHENTICATED: "Send a valid token.",
  FORBIDDEN: "Ask for access.",
  RATE_LIMITED: "Wait for retry_after_ms.",
  INTERNAL: "Try again; if it persists, tell the operator.",
  UNAVAILABLE: "Try again later.",
  INVALID_PROTOCOL: "Correct the place named.",
  DOCUMENT_NOT_FOUND: "Create it first.",
  DOCUMENT_CONFLICT: "Try again.",
  NOT_SAVED:
    "Save what is there, with `update(() => {})` or by deleting again; another `update` of the same would change it twice.",
} as const;

export type BuiltInErrorCode = keyof typeof remedies;

const meanings: { readonly [Code in BuiltInErrorCode]: readonly [meaning: string, retryable: boolean] } = {
  // A peer sent something wrong.
  BAD_MESSAGE: ["The message cannot be read or is not of the protocol.", false],
  INVALID_INPUT: ["The input of a request, or shown presence, does not match its schema.", false],
  UNKNOWN_REQUEST: ["The protocol has no request of this name, or the server no handler for it.", false],
  UNKNOWN_CHANNEL: ["The protocol has no such channel, or its key is invalid.", false],
  UNAUTHENTICATED: ["The credential is missing, invalid or expired.", false],
  FORBIDDEN: ["The credential does not allow this.", false],
  LIMIT_EXCEEDED: [
    "A limit is reached: of subscriptions, of requests in flight or their ids, or of what a document may take.",
    true,
  ],
  RATE_LIMITED: ["Too many messages in a short time.", true],
  // The server could not do it.
  INTERNAL: ["The server failed. Its log has the details.", true],
  INVALID_OUTPUT: ["A handler returned what its schema does not allow. The server's log has the details.", false],
  UNAVAILABLE: ["The server is closing, or what it depends on is down.", true],
  TIMEOUT: ["No answer came in time.", true],
  CANCELLED: ["The caller gave up.", false],
  // The client could not do it.
  NOT_CONNECTED: ["The client is not connected and will not connect by itself.", true],
  CONNECTION_LOST: ["The connection dropped before the answer; the request may or may not have taken effect.", true],
  PROTOCOL_MISMATCH: ["Client and server run different protocols.", false],
  // A document of a channel.
  STATE_DELETED: [
    "The channel's document was deleted, and the channel ended with it. The message is the reason given.",
    false,
  ],
  DOCUMENT_NOT_FOUND: ["There is no document to update.", false],
  DOCUMENT_CONFLICT: ["Others changed the document each time it was tried; nothing was changed.", true],
  NOT_SAVED: ["The document was changed, and everyone sees it, but `save` of the application failed.", false],
  // The application's own code is wrong.
  INVALID_PROTOCOL: ["A protocol definition is wrong.", false],
  INVALID_VALUE: ["A value to be sent does not match its schema.", false],
  HANDLER_FAILED: [
    "A handler or listener that the application gave to the client threw, or has not finished after 30 s.",
    false,
  ],
  INVALID_OPTION: ["An option is wrong.", false],
};

/** The whole table. */
export const errorCodes: readonly ErrorCode[] = /* @__PURE__ */ (() =>
  Object.entries(meanings).map(([code, [meaning, retryable]]) => {
    return { code, meaning, retryable, remedy: remedies[code as BuiltInErrorCode] };
  }))();

/**
 * Codes that streams and mutations will use. They are reserved now, because a request that declares
 * one would break later.
 */
const RESERVED = ["RUN_LOST", "PRODUCER_LOST", "UNKNOWN_OUTCOME", "KEY_REUSED"];

/** Whether Holdfast uses or reserves this code. Requests may declare any other code. */
export function isReservedCode(code: string): boolean {
  return Object.hasOwn(remedies, code) || RESERVED.includes(code);
}

/** What to do about an error of a built-in code; undefined for a code that a request declares. */
export function remedyOf(code: string): string | undefined {
  return Object.hasOwn(remedies, code) ? remedies[code as BuiltInErrorCode] : undefined;
}
