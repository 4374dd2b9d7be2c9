import { host } from "./host.js";
import { refuse } from "./refuse-option.js";

const EXAMPLE = "wss://example.com/ws";

/**
 * Reasons why an address can never work, each with its remedy. The first pattern that matches is
 * reported.
 */
const faults: readonly [pattern: RegExp, sentence: string][] = [
  [/^$/, `is empty; expected an address like ${EXAMPLE}`],
  [/^\w+:\/\/[^/?]*(\$|\{|\[object )/, "contains a placeholder for its host or port; replace it with the value"],
  [/[\s\p{Cc}]/u, "contains a space or a line break; remove it, or write a space as %20"],
  [/#/, "has a fragment (#…), which is never sent to a server; remove it"],
  [/\\/, "contains a backslash; write / instead"],
  [/^\/\//, `has no scheme; put wss: before it`],
  [
    /^(?!\/)(?![a-z][a-z0-9+.-]*:\/\/)/i,
    `has no scheme; expected an address like ${EXAMPLE}, or a path like /ws on a page`,
  ],
  [/^(?!\/)(?!(wss?|https?):)/i, "has an unknown scheme; expected ws, wss, http or https"],
  [/^\w+:\/\/([/?]|$)/, `has no host; expected an address like ${EXAMPLE}`],
  [/^\w+:\/\/[^/?[\]]*:[^/?[\]]*:/, "has an IPv6 address without brackets; write ws://[::1]:3000/ws"],
  [
    /^\w+:\/\/(\[[^/?]*\]|[^/?:[]*):(?!\d+([/?]|$))/,
    "has a port that is not a number; check that its variable is defined",
  ],
  [/^\w+:\/\/(undefined|null|NaN)([:/?]|$)/i, "has an undefined variable in place of its host; check the variable"],
];

/** @throws HoldfastError INVALID_OPTION */
export function checkUrl(url: string): void {
  // The user and password are secret and are removed. A password may also contain text that looks
  // like a port.
  const address = url.replace(/^(\w+:\/\/)[^/?]*@/, "$1");
  const fault = faults.find(([pattern]) => pattern.test(address))?.[1] ?? portFault(address) ?? platformFault(address);
  if (fault) refuse("url", `${JSON.stringify(address.replace(/\?.*/s, ""))} ${fault}`);
}

function portFault(url: string): string | undefined {
  const port = /^\w+:\/\/[^/?]*:(\d+)(?:[/?]|$)/.exec(url)?.[1];
  if (port === undefined || (Number(port) > 0 && Number(port) < 65_536)) return undefined;
  return `has the port ${port}; expected a port from 1 to 65535`;
}

/** Faults that no pattern covers. They are found only if the platform has the class `URL`. */
function platformFault(url: string): string | undefined {
  if (!host.URL || url.startsWith("/")) return undefined;
  try {
    void new host.URL(url);
    return undefined;
  } catch {
    return `is not a valid address; expected an address like ${EXAMPLE}`;
  }
}
