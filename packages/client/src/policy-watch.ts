import type { Cancel } from "@holdfast/protocol";
import { host, listen } from "./host.js";
import { addressOf } from "./settings.js";

/**
 * Calls `blocked` with the reason if the page's Content Security Policy blocks a socket to this
 * address. The socket itself only fails like any other, and trying again would go on for ever.
 */
export function watchPolicy(url: string, blocked: (reason: string) => void): Cancel {
  return listen(host.document, "securitypolicyviolation", (violation: PolicyViolation) => {
    const { effectiveDirective, blockedURI, disposition } = violation;
    // A policy that only reports blocks nothing.
    if (disposition === "report" || effectiveDirective !== "connect-src" || !blockedURI) return;
    // Browsers name the address as they write it, without its query, or only its origin.
    if (String(new host.URL!(url)).startsWith(blockedURI))
      blocked(`add ${addressOf(blockedURI)} to connect-src of the Content-Security-Policy`);
  });
}

interface PolicyViolation {
  readonly effectiveDirective?: string;
  readonly blockedURI?: string;
  readonly disposition?: string;
}
