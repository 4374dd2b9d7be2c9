import { channelFault } from "./channel-fault.js";
import type { ChannelContract, Protocol } from "./define-protocol.js";
import type { Checked } from "./value.js";

/** A channel as the wire names it, taken apart and checked against the protocol. */
export interface ChannelId {
  readonly contract: ChannelContract;
  readonly key: string | undefined;
  /** `name` or `name:key`. */
  readonly wire: string;
}

/** Reads `name` or `name:key`. */
export function parseChannel(protocol: Protocol, wire: string): Checked<ChannelId> {
  const colon = wire.indexOf(":");
  return colon < 0
    ? channelId(protocol, wire, undefined)
    : channelId(protocol, wire.slice(0, colon), wire.slice(colon + 1));
}

/** Checks a name and key and puts them together. */
export function channelId(protocol: Protocol, name: string, key: unknown): Checked<ChannelId> {
  const contract = protocol.channels.get(name);
  if (contract && !contract.key && key === undefined) return { ok: true, value: { contract, key, wire: name } };
  // A key is printable ASCII without spaces.
  const checked = contract?.key?.receive(key, undefined, "key");
  const text = checked?.ok && checked.value;
  return contract && typeof text === "string" && /^[!-~]+$/.test(text) && name.length + text.length <= 254
    ? { ok: true, value: { contract, key: text, wire: `${name}:${text}` } }
    : { ok: false, fault: { field: "channel", message: channelFault(protocol, name, key) } };
}
