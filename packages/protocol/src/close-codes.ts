import { meaningOf } from "./close-meanings.js";

/**
 * The close codes. Each row says why a connection ended and what the client does next; the client,
 * the reference and the tests read the same rows.
 *
 * Codes from 4400 mirror HTTP status codes, so that their meaning can be guessed. 1000 to 1013 have
 * the meanings of RFC 6455 and the IANA registry. Applications own 4800 to 4899 (the client
 * retries) and 4900 to 4999 (the client stops).
 */

/**
 * What a client does after a connection has ended:
 * - `retry`: reconnect with backoff
 * - `retry_after`: reconnect with backoff, but not before the delay that the server named
 * - `new_token`: fetch a new token, then reconnect; at most three times per minute
 * - `stop`: do not reconnect, because the next connection would end in the same way
 */
export type CloseAction = "retry" | "retry_after" | "new_token" | "stop";

export interface CloseCode {
  readonly code: number;
  readonly name: CloseCodeName;
  /**
   * Why the connection ended, as the end of the sentence "The connection ended because …". A page's
   * production build has only the name and the code.
   */
  readonly meaning: string;
  readonly action: CloseAction;
  /**
   * The window in which the first retry happens, in milliseconds. If undefined, the window of the
   * client's options applies. If a server dies or restarts, many connections end at once. A wide
   * window keeps their clients from reconnecting in the same second.
   */
  readonly firstRetryMs?: number | undefined;
}

type CloseCodeRow<Name = string> = readonly [name: Name, action: CloseAction, firstRetryMs?: number];

/** The window for codes that end many connections at once. */
const HERD_MS = 5_000;

/**
 * The part of the table that a client needs at run time. The meanings are in close-meanings.ts,
 * which a page does not download.
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

/** The ranges that applications own, by the hundreds of their codes. */
const ranges = {
  48: ["APPLICATION_RETRY", "retry"],
  49: ["APPLICATION_STOP", "stop"],
} as const satisfies { readonly [hundreds: number]: CloseCodeRow };

/** The name of a close code that has a row of its own. */
export type CloseName = (typeof rows)[keyof typeof rows][0];

/**
 * The name of any close code: the name of its row, the name of the application's range (4800 to
 * 4899 or 4900 to 4999), or UNKNOWN.
 */
export type CloseCodeName = CloseName | (typeof ranges)[keyof typeof ranges][0] | "UNKNOWN";

type NamedRows = { readonly [key: number]: CloseCodeRow<CloseCodeName> };

/**
 * Returns the row of a close code. A code in one of the application's ranges gets the row of that
 * range. Any other code without a row gets the name UNKNOWN and the action `retry`.
 */
export function closeCode(code: number): CloseCode {
  const [name, action, firstRetryMs] = (rows as NamedRows)[code] ??
    (ranges as NamedRows)[Math.trunc(code / 100)] ?? ["UNKNOWN", "retry"];
  return { code, name, meaning: meaningOf(code, name), action, firstRetryMs };
}

/** Every close code with a row of its own, in ascending order. */
export const closeCodes = /* @__PURE__ */ (() =>
  Object.keys(rows).map((code) => closeCode(Number(code))))() as readonly (CloseCode & { readonly name: CloseName })[];

/** The number of each close code by its name: `closeNumber.RESTART` is 1012. */
export const closeNumber = Object.fromEntries(Object.entries(rows).map(([code, [name]]) => [name, Number(code)])) as {
  readonly [Code in keyof typeof rows as (typeof rows)[Code][0]]: Code;
};
