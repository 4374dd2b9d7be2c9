import { host } from "./host.js";
import { refuse } from "./refuse-option.js";

const EXAMPLE = "wss://example.com/ws";

/**
 * Reasons why an address can never work, each with its remedy. The first pattern that matches is
 * reported.
 */
const faults: readonly [pattern: RegExp, sentence: string][] = [
  [/^$/, `is empty; expected an address like ${EXAMPLE}`],
  [/^\w+:\/\/[^/?]*(\$|\{|\[object )/, "has a placeholder in place of its host or port; put the value there"],
  [/[\s\p{Cc}]/u, "has a space or a line break; remove it, or write it as %20"],
  [/#/, "has a fragment (#…), which no server is sent; remove it"],
  [/\\/, "has a backslash; write /"],
  [/^\/\//, `has no scheme; write wss: before it`],
  [
    /^(?!\/)(?![a-z][a-z0-9+.-]*:\/\/)/i,
    `has no scheme; expected an address like ${EXAMPLE}, or a path like /ws on a page`,
  ],
  [/^(?!\/)(?!(wss?|https?):)/i, "has a scheme that is none of ws, wss, http and https"],
  [/^\w+:\/\/([/?]|$)/, `has no host; expected an address like ${EXAMPLE}`],
  [/^\w+:\/\/[^/?[\]]*:[^/?[\]]*:/, "has an IPv6 address without brackets; write ws://[::1]:3000/ws"],
  [
    /^\w+:\/\/(\[[^/?]*\]|[^/?:[]*):(?!\d+([/?]|$))/,
    "has a port that is no number; check that the variable it comes from is defined",
  ],
  [/^\w+:\/\/(undefined|null|NaN)([:/?]|$)/i, "has no host, but a variable that is undefined"],
];

/** @throws HoldfastError INVALID_OPTION */
export function checkUrl(url: string): void {
  // The user and password are removed: they are secret, and may contain text that looks like a
  // port.
  const address = url.replace(/^(\w+:\/\/)[^/?]*@/, "$1");
  const fault = faults.find(([pattern]) => pattern.test(address))?.[1] ?? portFault(address) ?? platformFault(address);
  if (fault) refuse("url", `${JSON.stringify(address.replace(/\?.*/s, ""))} ${fault}`);
}

function portFault(url: string): string | undefined {
  const port = /^\w+:\/\/[^/?]*:(\d+)(?:[/?]|$)/.exec(url)?.[1];
  if (port === undefined || (Number(port) > 0 && Number(port) < 65_536)) return undefined;
  return `has the port ${port}; ports are 1 to 65535`;
}

/** Faults that no pattern covers. `URL` finds them if the platform has it. */
function platformFault(url: string): string | undefined {
  if (!host.URL || url.startsWith("/")) return undefined;
  try {
    void new host.URL(url);
    return undefined;
  } catch {
    return `is no address; expected one like ${EXAMPLE}`;
  }
}
