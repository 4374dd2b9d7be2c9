import { type ChannelFault, channelFault } from "./channel-fault.js";
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
  if (!contract) return fault("unknown");
  if (!contract.key) {
    return key === undefined ? { ok: true, value: { contract, key: undefined, wire: name } } : fault("keyless");
  }
  const checked = contract.key.receive(key, undefined, "key");
  if (!checked.ok) return key === undefined ? fault("no_key") : fault("invalid", checked.fault.message);
  const text = checked.value;
  return typeof text === "string" && /^[\x21-\x7e]+$/.test(text) && name.length + text.length <= 254
    ? { ok: true, value: { contract, key: text, wire: `${name}:${text}` } }
    : fault("illegible");

  function fault(kind: ChannelFault, more?: string): Checked<never> {
    return { ok: false, fault: { field: "channel", message: channelFault(kind, protocol, name, more) } };
  }
}
