import { AUTHORITY, ORIGIN, withoutDefaultPort } from "../host-names.js";
import type { UpgradeRequest } from "../transport/socket.js";

/** Which pages may connect, and under which names. */
export interface OriginRules {
  /** As the option `origins`, in lower case and without default ports. */
  readonly origins: readonly string[] | undefined;
  /** As the option `hosts`, as browsers write them. */
  readonly hosts: readonly string[] | undefined;
}

const DEFAULT_PORTS: readonly (string | undefined)[] = ["80", "443"];

/** Headers that proxies add. A page cannot set them on a WebSocket. */
const PROXY_HEADERS = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/**
 * Whether the request has exactly one Host, and one that the server answers to; otherwise the
 * sentence for the peer.
 */
export function hostFault(request: UpgradeRequest, { hosts }: OriginRules): string | undefined {
  const { host } = request.headers;
  if (Array.isArray(host)) return "The request has more than one Host header.";
  if (hosts === undefined) return undefined;
  const [, name, port] = AUTHORITY.exec((host ?? "").toLowerCase()) ?? [];
  const isListed = hosts.some((listed) => {
    const [, listedName, listedPort] = AUTHORITY.exec(listed)!;
    if (listedName !== name) return false;
    // Clients leave out a default port, and the server does not know the scheme that they use.
    return (
      listedPort === undefined || listedPort === port || (port === undefined && DEFAULT_PORTS.includes(listedPort))
    );
  });
  return isListed ? undefined : "The server does not answer to this Host.";
}

/**
 * Why the page that opened the connection is neither of the server's own origin nor of a listed
 * one: the cure, for the log. Undefined if it is. Origins are compared exactly:
 * "https://app.example.com.evil.io" is not "https://app.example.com", and `null` (a sandboxed or
 * local page) is nobody. A request without an origin is no browser's and carries a cookie only on
 * purpose; it is refused all the same, since nothing tells the two apart.
 */
export function originFault(request: UpgradeRequest, { origins, hosts }: OriginRules): string | undefined {
  const { origin, host } = request.headers;
  if (typeof origin !== "string") return "Send the Origin of the page, or use another credential than a cookie.";
  if (origin === "null") return "Serve the page from an address: a sandboxed or local page has no origin.";
  if (origins?.includes(origin)) return undefined;
  const [, scheme, own] = ORIGIN.exec(origin) ?? [];
  if (!scheme || typeof host !== "string" || withoutDefaultPort(host.toLowerCase(), scheme) !== own)
    return "Add the origin to `origins`; or, if a proxy stands between, let it pass on the Host of the page (`changeOrigin: false`).";
  if (hosts === undefined && mayBeRebound(request, scheme, own))
    return "If this is a name of the server, add it to `hosts`, or the origin to `origins`.";
  return undefined;
}

/**
 * Whether Host proves nothing: a page of another site can make its own name lead to this machine
 * (DNS rebinding), and then its origin and Host agree. Not by `localhost` or an address, which are
 * not looked up. Not over TLS, for which the page would need a certificate here. Not through a
 * proxy, which only passes on the names that it serves.
 */
function mayBeRebound(request: UpgradeRequest, scheme: string, own: string): boolean {
  const name = AUTHORITY.exec(own)?.[1] ?? "";
  const isFixed = /^(.+\.)?localhost$|^\d+\.\d+\.\d+\.\d+$|^\[/.test(name);
  return !isFixed && scheme !== "https" && !PROXY_HEADERS.some((header) => request.headers[header] !== undefined);
}
