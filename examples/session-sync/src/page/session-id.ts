import { sessionSync } from "../protocol.js";

/** The session id in an address; undefined if the address has none. */
export function sessionIdOf(address: URL): string | undefined {
  return address.searchParams.get("sessionId") ?? undefined;
}

/** True if the protocol accepts the text as a session id. Both sides use this check. */
export function isSessionId(text: string): boolean {
  return sessionSync.definition.parameters.safeParse({ sessionId: text }).success;
}

/**
 * Makes a version 4 UUID from 16 random bytes. Browsers have `crypto.randomUUID` only on https and
 * localhost.
 */
export function newSessionId(random: Uint8Array): string {
  const bytes = Uint8Array.from(random);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The address of a session, relative to the page. */
export function addressOf(sessionId: string): string {
  return `?sessionId=${encodeURIComponent(sessionId)}`;
}
