import type { Protocol } from "./define-protocol.js";

/**
 * Says why a channel name or its key is invalid. `channelId` only checks whether both are valid,
 * because a page downloads that check. A page does not download these texts, so the reason is found
 * here.
 */
export function channelFault(protocol: Protocol, name: string, key: unknown): string {
  const contract = protocol.channels.get(name);
  if (!contract) return `The protocol ${protocol.name} has no channel ${JSON.stringify(name)}.`;
  if (!contract.key) return `The channel ${name} takes no key.`;
  const checked = contract.key.receive(key, undefined, "key");
  if (checked.ok)
    return `The key of the channel ${name} must be printable ASCII without spaces. Name, colon and key have at most 255 characters.`;
  return `The channel ${name}${key === undefined ? " needs a key." : `: ${checked.fault.message}`}`;
}
