import type { Protocol } from "./define-protocol.js";

/**
 * What is wrong with a channel's name or key. Found out anew: a page in production, which says
 * less, need not tell these apart.
 */
export function channelFault(protocol: Protocol, name: string, key: unknown): string {
  const contract = protocol.channels.get(name);
  if (!contract) return `${JSON.stringify(name)} is not a channel of the protocol ${protocol.name}.`;
  if (!contract.key) return `The channel ${name} has no key.`;
  const checked = contract.key.receive(key, undefined, "key");
  if (checked.ok)
    return `The key of the channel ${name} must be printable ASCII without spaces, and short enough for 255 characters in all.`;
  return `The channel ${name}${key === undefined ? " needs a key." : `: ${checked.fault.message}`}`;
}
