import { parseCookie } from "cookie";
import type { UpgradeRequest } from "../transport/socket.js";
import type { CredentialOptions } from "../options.js";
import type { CredentialSource } from "../session/identity.js";

export interface FoundCredential {
  readonly token: string;
  /** Tickets are issued and checked by the server itself, without `authenticate`. */
  readonly source: CredentialSource | "ticket";
}

/**
 * Finds the credential in an upgrade request, if any. If there are several, the order is:
 * Authorization header, query token, ticket, cookie. A client sets the first three on purpose,
 * while browsers send cookies automatically.
 */
export function findCredential(
  request: UpgradeRequest,
  query: URLSearchParams,
  options: CredentialOptions,
): FoundCredential | undefined {
  const bearer = /^Bearer +(\S+)\s*$/i.exec(headerOf(request, "authorization") ?? "")?.[1];
  if (bearer) return { token: bearer, source: "header" };
  const inQuery = options.queryToken ? query.get("token") : null;
  if (inQuery) return { token: inQuery, source: "query" };
  const ticket = options.ticket ? query.get("ticket") : null;
  if (ticket) return { token: ticket, source: "ticket" };
  const inCookie = options.cookie === undefined ? undefined : cookiesOf(request)[options.cookie];
  return inCookie ? { token: inCookie, source: "cookie" } : undefined;
}

export function cookiesOf(request: UpgradeRequest): Readonly<Record<string, string | undefined>> {
  const header = headerOf(request, "cookie");
  return header === undefined ? {} : parseCookie(header);
}

function headerOf(request: UpgradeRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
