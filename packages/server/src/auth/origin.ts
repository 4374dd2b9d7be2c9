import { AUTHORITY, ORIGIN, withoutDefaultPort } from "../host-names.js";
import type { UpgradeRequest } from "../transport/socket.js";

/** The origins of pages that may connect, and the host names that the server answers to. */
export interface OriginRules {
  /** The option `origins`, in lower case and without default ports. */
  readonly origins: readonly string[] | undefined;
  /** The option `hosts`, in the form that browsers use. */
  readonly hosts: readonly string[] | undefined;
}

const DEFAULT_PORTS: readonly (string | undefined)[] = ["80", "443"];

/** Headers that proxies add. A page cannot set them on a WebSocket. */
const PROXY_HEADERS = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/**
 * Checks that the request has at most one Host header and that `hosts`, if set, allows this host.
 * Otherwise returns the sentence that the peer receives.
 */
export function hostFault(request: UpgradeRequest, { hosts }: OriginRules): string | undefined {
  const { host } = request.headers;
  if (Array.isArray(host)) return "The request has more than one Host header.";
  if (hosts === undefined) return undefined;
  const [, name, port] = AUTHORITY.exec((host ?? "").toLowerCase()) ?? [];
  const isListed = hosts.some((listed) => {
    const [, listedName, listedPort] = AUTHORITY.exec(listed)!;
    if (listedName !== name) return false;
    // Clients omit a default port, and the server does not know which scheme the client uses.
    return (
      listedPort === undefined || listedPort === port || (port === undefined && DEFAULT_PORTS.includes(listedPort))
    );
  });
  return isListed ? undefined : "The server does not answer to this Host.";
}

/**
 * Checks that the page belongs to the server's own origin or to a listed origin. Otherwise returns
 * the remedy for the log. Origins are compared exactly: "https://app.example.com.evil.io" is not
 * "https://app.example.com", and `null` (a sandboxed or local page) matches no origin. A request
 * without an origin does not come from a browser, so its cookie was set on purpose. The request is
 * refused nevertheless, because the server cannot prove this.
 */
export function originFault(request: UpgradeRequest, { origins, hosts }: OriginRules): string | undefined {
  const { origin, host } = request.headers;
  if (typeof origin !== "string") return "Send an Origin header, or use a credential other than a cookie.";
  if (origin === "null") return "Serve the page over http or https, because a sandboxed or local page has no origin.";
  if (origins?.includes(origin)) return undefined;
  const [, scheme, own] = ORIGIN.exec(origin) ?? [];
  if (!scheme || typeof host !== "string" || withoutDefaultPort(host.toLowerCase(), scheme) !== own)
    return "Add the origin to `origins`. If the server is behind a proxy, let the proxy forward the original Host header (`changeOrigin: false`).";
  if (hosts === undefined && mayBeRebound(request, scheme, own))
    return "If this host name belongs to the server, add it to `hosts`, or add the origin to `origins`.";
  return undefined;
}

/**
 * True if the Host header proves nothing. A page of another site can make its own name resolve to
 * this machine (DNS rebinding), and then Origin and Host agree. This is impossible for `localhost`
 * and for IP addresses, which are not looked up; over TLS, because the page would need a
 * certificate for this machine; and through a proxy, which forwards only requests for the names of
 * its own servers.
 */
function mayBeRebound(request: UpgradeRequest, scheme: string, own: string): boolean {
  const name = AUTHORITY.exec(own)?.[1] ?? "";
  const isFixed = /^(.+\.)?localhost$|^\d+\.\d+\.\d+\.\d+$|^\[/.test(name);
  return !isFixed && scheme !== "https" && !PROXY_HEADERS.some((header) => request.headers[header] !== undefined);
}
