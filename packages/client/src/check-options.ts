import { HoldfastError, isProtocol, type Protocol } from "@holdfast/protocol";
import type { BaseOptions, ClientSettings } from "./options.js";
import { refuse } from "./refuse-option.js";

/**
 * The names of all options. The checks of this file find options that can never work. A page's
 * production build uses src/page/check-options.ts instead, because its options were checked in
 * development.
 */
const known: { readonly [Option in keyof BaseOptions]-?: 1 } & { readonly parameters: 1 } = {
  url: 1,
  token: 1,
  autoConnect: 1,
  deviceId: 1,
  requestTimeoutMs: 1,
  connectTimeoutMs: 1,
  retry: 1,
  positions: 1,
  logger: 1,
  WebSocket: 1,
  environment: 1,
  parameters: 1,
};

/** @throws HoldfastError INVALID_OPTION */
export function checkOptions(options: BaseOptions, protocol: Protocol): void {
  if (!isProtocol(protocol)) refuse("protocol", "expected the result of defineProtocol()");
  for (const name of Object.keys(options ?? {})) {
    if (!Object.hasOwn(known, name)) refuse(name, `is not an option; the options are ${Object.keys(known).join(", ")}`);
  }
  if (typeof options?.url !== "string") refuse("url", "expected an address like wss://example.com/ws");
  const { token, positions, deviceId = protocol.definition.deviceId === "required" ? "" : "any" } = options;
  if (typeof deviceId !== "string" || !deviceId || deviceId.length > 128 || LONE_SURROGATE.test(deviceId))
    refuse("deviceId", "expected 1 to 128 characters that identify this device");
  if (token && typeof token !== "string" && typeof token !== "function")
    refuse("token", "expected a string or a function");
  if (positions && typeof positions !== "function")
    refuse("positions", "expected the result of keepPositions(), for example keepPositions(sessionStorage)");
}

/** @throws HoldfastError INVALID_OPTION */
export function checkTimes({ connectTimeoutMs, requestTimeoutMs, retry: { minMs, maxMs } }: ClientSettings): void {
  const times = { connectTimeoutMs, requestTimeoutMs, "retry.minMs": minMs, "retry.maxMs": maxMs };
  for (const [field, value] of Object.entries(times)) {
    if (!(typeof value === "number" && value > 0))
      refuse(field, `expected a number of milliseconds above 0, received ${value}`);
  }
  if (minMs > maxMs) refuse("retry.minMs", "expected at most retry.maxMs");
}

/**
 * @throws TypeError if the token function returned neither a string nor an empty value. A page's
 *   production build does not check the token, and the server refuses the token.
 */
export function checkToken(token: unknown): void {
  if (token && typeof token !== "string") throw new TypeError("The token function must return a string.");
}

/**
 * Half of a surrogate pair. With the `u` flag a complete pair does not match. Servers refuse a
 * frame that contains a lone surrogate.
 */
const LONE_SURROGATE = /[\ud800-\udfff]/u;

/** The longest token that the protocol allows in `auth`, in characters. */
const MOST_TOKEN_CHARACTERS = 16_384;

/**
 * Returns an error if every server would refuse an `auth` with this token. On a page in production
 * the server refuses the token.
 */
export function tokenFault(token: string | undefined): HoldfastError | undefined {
  if (!token) return undefined;
  if (LONE_SURROGATE.test(token)) {
    const remedy = "Encode the token's bytes, for example as base64url.";
    return new HoldfastError("INVALID_VALUE", "token: contains a lone surrogate.", { field: "token", remedy });
  }
  if (token.length <= MOST_TOKEN_CHARACTERS) return undefined;
  const sentence = `token: expected at most ${MOST_TOKEN_CHARACTERS} characters, received ${token.length}.`;
  return new HoldfastError("LIMIT_EXCEEDED", sentence, { field: "token", remedy: "Use a shorter token." });
}
