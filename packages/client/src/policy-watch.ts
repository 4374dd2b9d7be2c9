import type { Cancel } from "@holdfast/protocol";
import { host, listen } from "./host.js";
import { addressOf } from "./settings.js";

/**
 * Calls `blocked` if the page's Content Security Policy blocks the socket to this address. The
 * socket itself reports only a failed connection, and without this check the client would retry
 * forever.
 */
export function watchPolicy(url: string, blocked: (reason: string) => void): Cancel {
  return listen(host.document, "securitypolicyviolation", (violation: PolicyViolation) => {
    const { effectiveDirective, blockedURI, disposition } = violation;
    // A report-only policy blocks nothing.
    if (disposition === "report" || effectiveDirective !== "connect-src" || !blockedURI) return;
    // Browsers report the address in their own spelling and without its query, or only its origin.
    if (String(new host.URL!(url)).startsWith(blockedURI))
      blocked(`blocked: add ${addressOf(blockedURI)} to connect-src of the Content-Security-Policy`);
  });
}

interface PolicyViolation {
  readonly effectiveDirective?: string;
  readonly blockedURI?: string;
  readonly disposition?: string;
}
