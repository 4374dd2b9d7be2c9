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
  if (!contract) return fault("channel", `${JSON.stringify(name)} is not a channel of the protocol ${protocol.name}.`);
  if (!contract.key) {
    return key === undefined
      ? { ok: true, value: { contract, key: undefined, wire: name } }
      : fault("channel", `The channel ${name} has no key.`);
  }
  const checked = contract.key.receive(key, undefined, "key");
  if (!checked.ok) {
    return fault(
      "channel",
      key === undefined ? `The channel ${name} needs a key.` : `The channel ${name}: ${checked.fault.message}`,
    );
  }
  const text = checked.value;
  if (typeof text !== "string" || !/^[\x21-\x7e]+$/.test(text) || name.length + text.length > 254) {
    return fault(
      "channel",
      `The key of the channel ${name} must be printable ASCII without spaces, and short enough for 255 characters in all.`,
    );
  }
  return { ok: true, value: { contract, key: text, wire: `${name}:${text}` } };
}

function fault(field: string, message: string): Checked<never> {
  return { ok: false, fault: { field, message } };
}
