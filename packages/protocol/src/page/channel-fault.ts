import type { Protocol } from "../define-protocol.js";

/** In a page's production build: the channel that is meant. In development, as everywhere else, also what is wrong with it. */
export function channelFault(_protocol: Protocol, name: string): string {
  return `${name} is not a channel of the protocol, or its key is not valid.`;
}
