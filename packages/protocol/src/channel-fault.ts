import type { Protocol } from "./define-protocol.js";

export type ChannelFault = "unknown" | "keyless" | "no_key" | "invalid" | "illegible";

/** What is wrong with a channel's name or key. */
export function channelFault(kind: ChannelFault, protocol: Protocol, name: string, more?: string): string {
  switch (kind) {
    case "unknown":
      return `${JSON.stringify(name)} is not a channel of the protocol ${protocol.name}.`;
    case "keyless":
      return `The channel ${name} has no key.`;
    case "no_key":
      return `The channel ${name} needs a key.`;
    case "invalid":
      return `The channel ${name}: ${more}`;
    case "illegible":
      return `The key of the channel ${name} must be printable ASCII without spaces, and short enough for 255 characters in all.`;
    default:
      return kind satisfies never;
  }
}
