import { channelFault } from "./channel-fault.js";
import type { ChannelContract, Protocol } from "./define-protocol.js";
import type { Checked } from "./value.js";

/** A channel of the protocol: its name on the wire, split into name and key and checked. */
export interface ChannelId {
  readonly contract: ChannelContract;
  readonly key: string | undefined;
  /** `name` or `name:key`. */
  readonly wire: string;
}

/** Splits a name from the wire (`name` or `name:key`) at the first colon and checks both parts. */
export function parseChannel(protocol: Protocol, wire: string): Checked<ChannelId> {
  const colon = wire.indexOf(":");
  return colon < 0
    ? channelId(protocol, wire, undefined)
    : channelId(protocol, wire.slice(0, colon), wire.slice(colon + 1));
}

/** Checks a name and a key and joins them into the name on the wire. */
export function channelId(protocol: Protocol, name: string, key: unknown): Checked<ChannelId> {
  const contract = protocol.channels.get(name);
  if (contract && !contract.key && key === undefined) return { ok: true, value: { contract, key, wire: name } };
  // A key is printable ASCII without spaces. Name, colon and key have at most 255 characters.
  const checked = contract?.key?.receive(key, undefined, "key");
  const text = checked?.ok && checked.value;
  return contract && typeof text === "string" && /^[!-~]+$/.test(text) && name.length + text.length <= 254
    ? { ok: true, value: { contract, key: text, wire: `${name}:${text}` } }
    : { ok: false, fault: { field: "channel", message: channelFault(protocol, name, key) } };
}
