import type { Protocol } from "../define-protocol.js";

/**
 * In a page's production build: the channel that is meant. In development, as everywhere else, also
 * what is wrong with it.
 */
export function channelFault(_protocol: Protocol, name: string): string {
  return `The channel ${name} is not valid.`;
}
