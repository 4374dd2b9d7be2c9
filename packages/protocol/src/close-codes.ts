/**
 * Why a connection ended, and what the client does next. Docs, the client's policy and the tests read these rows.
 *
 * Numbers from 4400 mirror HTTP, so that they can be guessed. 1000 to 1013 keep the meaning that RFC 6455 and the IANA
 * registry give them. Applications own 4800 to 4899 (the client retries) and 4900 to 4999 (it stops).
 */

/**
 * What a client does next:
 * - `retry`: reconnect with backoff
 * - `retry_after`: reconnect with backoff, but not before the delay the server named
 * - `new_token`: fetch a new token, then reconnect; at most three times a minute
 * - `stop`: do not reconnect, the same thing would happen again
 */
export type CloseAction = "retry" | "retry_after" | "new_token" | "stop";

export interface CloseCode {
  readonly code: number;
  readonly name: string;
  /** Ends the sentence "The connection ended because …". */
  readonly meaning: string;
  readonly action: CloseAction;
  /**
   * The window of the first retry, in milliseconds, when it is not the client's own. Where one cause ends many connections
   * at once (a server that dies or restarts), a wide window keeps them from coming back in the same second.
   */
  readonly firstRetryMs?: number;
}

const herd = { firstRetryMs: 5_000 } as const;

export const closeCodes = [
  { code: 1000, name: "NORMAL", meaning: "it was no longer needed", action: "stop" },
  {
    code: 1001,
    name: "GOING_AWAY",
    meaning: "the server is shutting down or the page was left",
    action: "retry",
    ...herd,
  },
  { code: 1002, name: "PROTOCOL_ERROR", meaning: "a frame broke the WebSocket protocol", action: "retry" },
  {
    code: 1006,
    name: "ABNORMAL",
    meaning: "the network or the other side went away without a word",
    action: "retry",
    ...herd,
  },
  { code: 1007, name: "INVALID_TEXT", meaning: "a text frame was not valid UTF-8", action: "retry" },
  { code: 1008, name: "POLICY", meaning: "a connection parameter is missing or invalid", action: "stop" },
  { code: 1009, name: "TOO_BIG", meaning: "a message was larger than the server accepts", action: "retry" },
  { code: 1011, name: "INTERNAL", meaning: "the server failed", action: "retry", ...herd },
  { code: 1012, name: "RESTART", meaning: "the server is restarting", action: "retry_after", ...herd },
  { code: 1013, name: "OVERLOADED", meaning: "the server has too many connections", action: "retry_after", ...herd },
  {
    code: 4400,
    name: "BAD_REQUEST",
    meaning: "what the client sent was not of the protocol",
    action: "stop",
  },
  {
    code: 4401,
    name: "UNAUTHENTICATED",
    meaning: "the credential is missing, invalid or expired",
    action: "new_token",
  },
  { code: 4403, name: "FORBIDDEN", meaning: "this user may not connect", action: "stop" },
  {
    code: 4406,
    name: "UNSUPPORTED_PROTOCOL",
    meaning: "there is no common version of the protocol",
    action: "stop",
  },
  { code: 4408, name: "HEARTBEAT_MISSED", meaning: "nothing was heard in time", action: "retry" },
  { code: 4409, name: "REPLACED", meaning: "a newer connection of the same device took its place", action: "stop" },
  { code: 4413, name: "TOO_SLOW", meaning: "the client reads more slowly than it is sent to", action: "retry" },
  { code: 4429, name: "RATE_LIMITED", meaning: "too many messages or connections", action: "retry_after" },
] as const satisfies readonly CloseCode[];

export type CloseName = (typeof closeCodes)[number]["name"];

/** The row for a close code. Every number has one: unknown ones retry, the application's ranges say what their range says. */
export function closeCode(code: number): CloseCode {
  const row = closeCodes.find((one) => one.code === code);
  if (row) return row;
  if (code >= 4900 && code <= 4999)
    return { code, name: "APPLICATION_STOP", meaning: "the application ended it", action: "stop" };
  if (code >= 4800 && code <= 4899)
    return { code, name: "APPLICATION_RETRY", meaning: "the application ended it", action: "retry" };
  return { code, name: "UNKNOWN", meaning: `of close code ${code}`, action: "retry" };
}

const numbers = Object.fromEntries(closeCodes.map((row) => [row.name, row.code])) as {
  readonly [Name in CloseName]: number;
};

/** The number of a named close code: `closeNumber.RESTART` is 1012. */
export const closeNumber = numbers;
