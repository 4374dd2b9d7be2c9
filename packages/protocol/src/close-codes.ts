import { meaningOf } from "./close-meanings.js";

/**
 * Why a connection ended, and what the client does next. Docs, the client's policy and the tests
 * read these rows.
 *
 * Numbers from 4400 mirror HTTP, so that they can be guessed. 1000 to 1013 keep the meaning that
 * RFC 6455 and the IANA registry give them. Applications own 4800 to 4899 (the client retries) and
 * 4900 to 4999 (it stops).
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
  readonly name: CloseCodeName;
  /**
   * Ends the sentence "The connection ended because …". In a page in production it is the name and
   * the code.
   */
  readonly meaning: string;
  readonly action: CloseAction;
  /**
   * The window of the first retry, in milliseconds, when it is not the client's own. Where one
   * cause ends many connections at once (a server that dies or restarts), a wide window keeps them
   * from coming back in the same second.
   */
  readonly firstRetryMs?: number | undefined;
}

type CloseCodeRow<Name = string> = readonly [name: Name, action: CloseAction, firstRetryMs?: number];

const HERD_MS = 5_000;

/**
 * What a client needs while running. The meanings are in close-meanings.ts, so that a page need not
 * download them.
 */
const rows = {
  1000: ["NORMAL", "stop"],
  1001: ["GOING_AWAY", "retry", HERD_MS],
  1002: ["PROTOCOL_ERROR", "retry"],
  1006: ["ABNORMAL", "retry", HERD_MS],
  1007: ["INVALID_TEXT", "retry"],
  1008: ["POLICY", "stop"],
  1009: ["TOO_BIG", "retry"],
  1011: ["INTERNAL", "retry", HERD_MS],
  1012: ["RESTART", "retry_after", HERD_MS],
  1013: ["OVERLOADED", "retry_after", HERD_MS],
  4400: ["BAD_REQUEST", "stop"],
  4401: ["UNAUTHENTICATED", "new_token"],
  4403: ["FORBIDDEN", "stop"],
  4406: ["UNSUPPORTED_PROTOCOL", "stop"],
  4408: ["HEARTBEAT_MISSED", "retry"],
  4409: ["REPLACED", "stop"],
  4413: ["TOO_SLOW", "retry"],
  4429: ["RATE_LIMITED", "retry_after"],
} as const satisfies { readonly [code: number]: CloseCodeRow };

/** The application's close codes, by their hundreds. */
const ranges = {
  48: ["APPLICATION_RETRY", "retry"],
  49: ["APPLICATION_STOP", "stop"],
} as const satisfies { readonly [hundreds: number]: CloseCodeRow };

/** The names of the close codes in the table. */
export type CloseName = (typeof rows)[keyof typeof rows][0];

/**
 * The name of a close code: its own, that of the application's range (4800 to 4899, 4900 to 4999),
 * or UNKNOWN.
 */
export type CloseCodeName = CloseName | (typeof ranges)[keyof typeof ranges][0] | "UNKNOWN";

type NamedRows = { readonly [key: number]: CloseCodeRow<CloseCodeName> };

/**
 * The row for a close code. Every number has one: unknown ones retry, the application's ranges say
 * what their range says.
 */
export function closeCode(code: number): CloseCode {
  const [name, action, firstRetryMs] = (rows as NamedRows)[code] ??
    (ranges as NamedRows)[Math.trunc(code / 100)] ?? ["UNKNOWN", "retry"];
  return { code, name, meaning: meaningOf(code, name), action, firstRetryMs };
}

/** The whole table, in the order of the numbers. */
export const closeCodes = /* @__PURE__ */ (() =>
  Object.keys(rows).map((code) => closeCode(Number(code))))() as readonly (CloseCode & { readonly name: CloseName })[];

/** The number of a named close code: `closeNumber.RESTART` is 1012. */
export const closeNumber = Object.fromEntries(Object.entries(rows).map(([code, [name]]) => [name, Number(code)])) as {
  readonly [Code in keyof typeof rows as (typeof rows)[Code][0]]: Code;
};
