import type { Protocol } from "@holdfast/protocol";
import { checkOptions, checkTimes } from "./check-options.js";
import { host } from "./host.js";
import type { BaseOptions, ClientSettings } from "./options.js";
import { queryOf } from "./query.js";
import { refuse } from "./refuse-option.js";

/**
 * Fills in the defaults and refuses options that cannot work. @throws HoldfastError INVALID_OPTION
 */
export function settingsOf(options: BaseOptions, protocol: Protocol): ClientSettings {
  checkOptions(options, protocol);
  const { connectTimeoutMs = 10_000, requestTimeoutMs = 30_000 } = options;
  const { minMs = 1_000, maxMs = 30_000 } = options.retry ?? {};
  const settings = { connectTimeoutMs, requestTimeoutMs, retry: { minMs, maxMs } };
  checkTimes(settings);
  return settings;
}

/**
 * Removes the user, the password and the query from an address, because they may contain a token.
 * The result is safe for logs and errors.
 */
export function addressOf(url: string): string {
  return url.replace(/\?.*/s, "").replace(/\/\/[^/]*@/, "//");
}

/**
 * Adds the connection parameters to the address's query string. @throws HoldfastError
 * INVALID_OPTION
 */
export function urlOf(given: string, parameters: object): string {
  // `URL` is not used, because the class is missing or incomplete on some React Native engines.
  const origin = /^\/(?!\/)/.test(given) ? (host.location?.origin ?? "") : "";
  const url = `${origin}${given}`.replace(/^http/i, "ws");
  if (!/^wss?:\/\/[^\s#]+$/i.test(url))
    refuse("url", "expected an address like wss://example.com/ws, or on a page /ws");
  const query = queryOf(Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null));
  return url + (query && (url.includes("?") ? "&" : "?")) + query;
}
