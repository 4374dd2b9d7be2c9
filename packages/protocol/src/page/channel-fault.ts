import type { Protocol } from "../define-protocol.js";

/**
 * In a page's production build the message only names the channel. In development, and in every
 * other build, the message also says what is wrong.
 */
export function channelFault(_protocol: Protocol, name: string): string {
  return `The channel ${name} is not valid.`;
}
