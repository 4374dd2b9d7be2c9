import { type ChannelId, type Fault, HoldfastError, type RichValue } from "@holdfast/protocol";
import { Presence, presenceFrame, type PresenceSettings } from "./presence.js";
import type { Subscriber } from "./subscriber.js";

/** What one user may show on one channel, in characters of JSON. */
const MAX_DATA = 1_024;

/** A user who is on a channel. */
export interface PresentUser<Data = unknown> {
  readonly userId: string;
  /** The user's devices on the channel, those that left within the grace included. */
  readonly devices: readonly string[];
  /** What others see of the user. */
  readonly data: Data;
}

/** Who is where: a presence for each channel that somebody is on, or was on a moment ago. */
export class Presences {
  readonly #settings: PresenceSettings;
  readonly #members: (wire: string) => Iterable<Subscriber>;
  readonly #byChannel = new Map<string, Presence>();

  /** `members`: those of a channel. */
  constructor(settings: PresenceSettings, members: (wire: string) => Iterable<Subscriber>) {
    this.#settings = settings;
    this.#members = members;
  }

  /** How many channels are remembered. Keys are a peer's to choose: when all have gone it has to be none. */
  get size(): number {
    return this.#byChannel.size;
  }

  arrive(id: ChannelId, { userId, deviceId }: Subscriber): void {
    if (!id.contract.presence || userId === undefined || deviceId === undefined) return;
    this.#of(id.wire).arrive(userId, deviceId);
  }

  depart(wire: string, member: Subscriber): void {
    const presence = this.#byChannel.get(wire);
    presence?.forget(member);
    if (member.userId !== undefined && member.deviceId !== undefined) presence?.depart(member.userId, member.deviceId);
  }

  /** What a client of the user has said last. */
  said({ wire }: ChannelId, userId: string): unknown {
    return this.#byChannel.get(wire)?.said(userId);
  }

  /**
   * What others see of a user on a channel, by one of the devices; undefined: nothing.
   * @throws HoldfastError INVALID_VALUE or LIMIT_EXCEEDED
   */
  set(id: ChannelId, { userId, deviceId }: Subscriber, value: unknown, said: unknown): void {
    const shown = value === undefined ? undefined : checked(id, value);
    if (userId !== undefined && deviceId !== undefined)
      this.#byChannel.get(id.wire)?.set(userId, deviceId, shown, said);
  }

  /** Tells a new member who is there, on a channel that knows presence. */
  welcome(id: ChannelId, member: Subscriber): void {
    if (!id.contract.presence) return;
    const presence = this.#byChannel.get(id.wire);
    // Where nobody is, nothing is kept.
    if (presence) presence.welcome(member);
    else member.deliver(presenceFrame(id.wire, "snapshot"));
  }

  count({ wire }: ChannelId): number {
    return this.#byChannel.get(wire)?.count ?? 0;
  }

  list({ wire, contract }: ChannelId): PresentUser[] {
    return (this.#byChannel.get(wire)?.users() ?? []).flatMap(({ userId, devices, data }) => {
      const read = contract.presence?.receive(data.data, data.meta, "data");
      return read?.ok ? [{ userId, devices, data: read.value }] : [];
    });
  }

  close(): void {
    for (const presence of this.#byChannel.values()) presence.close();
    this.#byChannel.clear();
  }

  #of(wire: string): Presence {
    const found = this.#byChannel.get(wire);
    if (found) return found;
    const presence = new Presence(
      wire,
      this.#settings,
      () => this.#members(wire),
      () => void this.#byChannel.delete(wire),
    );
    this.#byChannel.set(wire, presence);
    return presence;
  }
}

function checked({ wire, contract }: ChannelId, value: unknown): RichValue {
  const sent = contract.presence?.send(value, "data");
  if (!sent?.ok) throw invalid(wire, sent?.fault);
  if (JSON.stringify(sent.value).length > MAX_DATA) {
    const text = `${wire}: data: a user may show ${MAX_DATA} characters of JSON.`;
    throw new HoldfastError("LIMIT_EXCEEDED", text, { field: "data" });
  }
  return sent.value;
}

function invalid(wire: string, fault: Fault | undefined): HoldfastError {
  return new HoldfastError("INVALID_VALUE", `${wire}: ${fault?.message ?? "no presence is declared."}`, {
    field: fault?.field,
    cause: fault?.cause,
  });
}
