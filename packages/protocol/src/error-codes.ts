/**
 * A row of the error-code table. Every error of Holdfast has one of these codes, or a code that the
 * request declares (`errors` in its definition). Client, server, reference and tests read the same
 * rows.
 */
export interface ErrorCode {
  readonly code: string;
  /** When the error happens. */
  readonly meaning: string;
  /** True if the same call can succeed later. */
  readonly retryable: boolean;
  /** How to fix the error. The server sends this text with the error. */
  readonly remedy: string;
}

/**
 * The part of the table that the server needs at run time. A page that does not import `errorCodes`
 * downloads neither this part nor the meanings.
 */
const remedies = {
  BAD_MESSAGE: "Deploy the same version of the protocol on both sides, or correct the message.",
  UNKNOWN_REQUEST: "Deploy the same version of the protocol on both sides, or correct the name.",
  UNKNOWN_CHANNEL: "Correct the name of the channel, or its key.",
  LIMIT_EXCEEDED: "Stay below the limit: leave channels, wait for requests in flight, or send less data.",
  INVALID_OUTPUT: "Report the error to the operator of the server.",
  TIMEOUT: "Try again, or set a longer timeout.",
  CANCELLED: "No action is needed: your code cancelled the request.",
  NOT_CONNECTED: "If the error names a cause, correct the cause. Then call connect().",
  CONNECTION_LOST: "Check whether the request took effect. If it did not, repeat it.",
  PROTOCOL_MISMATCH: "Deploy the same version of the protocol on both sides.",
  INVALID_VALUE: "Correct the field that the error names.",
  HANDLER_FAILED: "Correct the handler or listener, or make it finish sooner.",
  INVALID_OPTION: "Correct the option that the error names.",
  STATE_DELETED: "No action is needed: the document no longer exists.",
  INVALID_INPUT: "Correct the field that the error names.",
  UNAUTHENTICATED: "Send a valid token.",
  FORBIDDEN: "Ask for access.",
  RATE_LIMITED: "Wait for the time in `retry_after_ms`, then try again.",
  INTERNAL: "Try again. If the error persists, report it to the operator of the server.",
  UNAVAILABLE: "Try again later.",
  INVALID_PROTOCOL: "Correct the definition at the place that the error names.",
  DOCUMENT_NOT_FOUND: "Create the document first.",
  DOCUMENT_CONFLICT: "Try again.",
  NOT_SAVED:
    "Save the stored document with `update(() => {})`, or delete it again. Do not repeat the update, because that would apply the change twice.",
} as const;

export type BuiltInErrorCode = keyof typeof remedies;

const meanings: { readonly [Code in BuiltInErrorCode]: readonly [meaning: string, retryable: boolean] } = {
  // Errors in a message that a peer sent.
  BAD_MESSAGE: ["The message cannot be read, or does not match the protocol.", false],
  INVALID_INPUT: ["The input of a request, or the presence data of a client, does not match its schema.", false],
  UNKNOWN_REQUEST: ["The protocol has no request of this name, or the server has no handler for it.", false],
  UNKNOWN_CHANNEL: ["The protocol has no such channel, or its key is invalid.", false],
  UNAUTHENTICATED: ["The credential is missing, invalid or expired.", false],
  FORBIDDEN: ["The credential does not allow this.", false],
  LIMIT_EXCEEDED: [
    "A limit is reached: the number of subscriptions, devices or requests in flight, or the size of an event, a document or presence data. Or a request in flight has the same correlation id.",
    true,
  ],
  RATE_LIMITED: ["The peer sent too many messages in a short time.", true],
  // Errors while the server handles a valid message.
  INTERNAL: ["The server failed. Its log has the details.", true],
  INVALID_OUTPUT: [
    "A handler returned a value that its schema does not allow. The server's log has the details.",
    false,
  ],
  UNAVAILABLE: ["The server is closing, or a service that it depends on is down.", true],
  TIMEOUT: ["No answer arrived in time.", true],
  CANCELLED: ["The caller cancelled the request.", false],
  // Errors of the client's connection.
  NOT_CONNECTED: ["The client is not connected and will not connect by itself.", true],
  CONNECTION_LOST: [
    "The connection dropped before the answer arrived; the request may or may not have taken effect.",
    true,
  ],
  PROTOCOL_MISMATCH: ["Client and server run different protocols.", false],
  // Errors about documents.
  STATE_DELETED: [
    "The channel's document was deleted, which also ended the channel. The message is the reason that the application gave.",
    false,
  ],
  DOCUMENT_NOT_FOUND: ["The channel has no document to update.", false],
  DOCUMENT_CONFLICT: ["Each attempt to update the document met another change; this update changed nothing.", true],
  NOT_SAVED: [
    "The document was changed, and every member sees the change, but the application's `save` failed.",
    false,
  ],
  // Mistakes in the application's code.
  INVALID_PROTOCOL: ["A protocol definition is wrong.", false],
  INVALID_VALUE: ["A value to be sent does not match its schema.", false],
  HANDLER_FAILED: [
    "A handler or listener that the application gave to the client threw, or did not finish within 30 s.",
    false,
  ],
  INVALID_OPTION: ["An option is wrong.", false],
};

/** Every error code of Holdfast, with its meaning and remedy. */
export const errorCodes: readonly ErrorCode[] = /* @__PURE__ */ (() =>
  Object.entries(meanings).map(([code, [meaning, retryable]]) => {
    return { code, meaning, retryable, remedy: remedies[code as BuiltInErrorCode] };
  }))();

/**
 * Codes that streams and mutations will use. Reserved now, because a request that declared such a
 * code would break later.
 */
const RESERVED = ["RUN_LOST", "PRODUCER_LOST", "UNKNOWN_OUTCOME", "KEY_REUSED"];

/** True if Holdfast uses or reserves this code. Requests may declare any other code. */
export function isReservedCode(code: string): boolean {
  return Object.hasOwn(remedies, code) || RESERVED.includes(code);
}

/** The remedy of a built-in code; undefined for a code that a request declares. */
export function remedyOf(code: string): string | undefined {
  return Object.hasOwn(remedies, code) ? remedies[code as BuiltInErrorCode] : undefined;
}
