import { parseCookie } from "cookie";
import type { UpgradeRequest } from "../transport/socket.js";
import type { CredentialSource } from "./identity.js";

export interface CredentialOptions {
  /**
   * The name of the cookie that holds a credential. Browsers send cookies along with connections that any page opens, so a
   * cookie is accepted only from pages of the same origin and from those listed in `origins`.
   * @default none: cookies do not authenticate
   */
  readonly cookie?: string | undefined;
  /**
   * Accept `?token=` in the URL. URLs end up in the logs of proxies: meant for scripts and command-line tools.
   * @default false
   */
  readonly queryToken?: boolean | undefined;
  /**
   * Accept `?ticket=` with what `server.issueTicket` has issued: valid once, within 30 s. For clients that can set no header,
   * and for gateways that want to see a credential before the upgrade. `authenticate` is not asked again.
   * @default false
   */
  readonly ticket?: boolean | undefined;
  /**
   * Accept a token in the `auth` message. False: a connection whose upgrade request carries no credential is refused with
   * HTTP 401, before the upgrade.
   * @default true
   */
  readonly message?: boolean | undefined;
}

export interface FoundCredential {
  readonly token: string;
  /** A ticket is the server's own and asks nobody. */
  readonly source: CredentialSource | "ticket";
}

/** The credential an upgrade request carries, if any; the most deliberate one wins. */
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
