import { type ChannelId, type Fault, HoldfastError, type PresentUser, type RichValue } from "@holdfast/protocol";
import { LocalPresence } from "./local-presence.js";
import { PresenceFeed, presenceFrame, type PresenceSettings } from "./channel-presence.js";
import { type PresenceLink, PresenceStore, presenceTopic, readListed, readPresence } from "./presence-store.js";
import { PresenceRoster } from "./presence-roster.js";
import type { Subscriber } from "../log/subscriber.js";

/** What one user may show on one channel, in characters of JSON. */
const MAX_DATA = 1_024;

/**
 * One channel: who is on it, which of them are here, and, where there are other instances, how
 * these know of it.
 */
interface PresenceRoom {
  readonly presence: PresenceFeed;
  readonly localPresence: LocalPresence;
  readonly table: PresenceStore | undefined;
}

export interface PresenceRegistryParts {
  readonly settings: PresenceSettings;
  /** The other instances; undefined: there can be none. */
  readonly shared: PresenceLink | undefined;
  /** The members of a channel on this instance. */
  members(wire: string): Iterable<Subscriber>;
  /** Whether a channel has members on this instance, or is about to. */
  isUsed(wire: string): boolean;
}

/** What this instance is called where there is no other. */
const ALONE = "";

/** Who is where: a room for each channel that somebody is on, or was on a moment ago. */
export class PresenceRegistry {
  readonly #parts: PresenceRegistryParts;
  readonly #byChannel = new Map<string, PresenceRoom>();

  constructor(parts: PresenceRegistryParts) {
    this.#parts = parts;
  }

  /**
   * How many channels are remembered. Keys are a peer's to choose: when all have gone it has to be
   * none.
   */
  get size(): number {
    return this.#byChannel.size;
  }

  /**
   * What there is to wait for before somebody can join: who is there on other instances; undefined:
   * nothing.
   */
  prepare(id: ChannelId): Promise<void> | undefined {
    if (!this.#parts.shared || !id.contract.presence) return undefined;
    const { follower } = this.#of(id).table!;
    return follower.isOpen ? undefined : follower.opened;
  }

  arrive(id: ChannelId, { userId, deviceId }: Subscriber): void {
    if (!id.contract.presence || userId === undefined || deviceId === undefined) return;
    this.#of(id).localPresence.arrive(userId, deviceId);
  }

  depart(wire: string, member: Subscriber): void {
    const room = this.#byChannel.get(wire);
    if (!room) return;
    room.presence.forget(member);
    if (member.userId !== undefined && member.deviceId !== undefined)
      room.localPresence.depart(member.userId, member.deviceId);
  }

  /** What a client of the user has said last, on whatever instance. */
  said({ wire, contract }: ChannelId, userId: string): unknown {
    const room = this.#byChannel.get(wire);
    if (!room) return undefined;
    // What was said here may be on its way to the others, and back.
    const here = room.localPresence.ofUser(userId).map(({ listing }) => listing);
    const newest = here.filter(({ said }) => said).sort((a, b) => b.at - a.at)[0];
    const known = room.presence.roster.newestSaid(userId);
    const said = (newest?.at ?? -1) >= (known?.at ?? -1) ? newest?.said : known?.said;
    if (!said) return undefined;
    if ("value" in said) return said.value;
    const read = contract.presence?.receive(said.rich.data, said.rich.meta, "data");
    return read?.ok ? read.value : undefined;
  }

  /**
   * What others see of a user on a channel, by one of the devices; undefined: nothing.
   * @throws HoldfastError INVALID_VALUE or LIMIT_EXCEEDED
   */
  set(id: ChannelId, { userId, deviceId }: Subscriber, value: unknown, said: unknown): void {
    const shown = value === undefined ? undefined : checked(id, value);
    if (userId !== undefined && deviceId !== undefined)
      this.#byChannel.get(id.wire)?.localPresence.set(userId, deviceId, shown, said);
  }

  /** Tells a new member who is there, on a channel that knows presence. */
  welcome(id: ChannelId, member: Subscriber): void {
    if (!id.contract.presence) return;
    const room = this.#byChannel.get(id.wire);
    // Where nobody is, nothing is kept.
    if (room) room.presence.welcome(member);
    else member.deliver(presenceFrame(id.wire, "snapshot"));
  }

  /**
   * @throws HoldfastError UNAVAILABLE (rejects), where nobody here is on the channel and the broker
   *   cannot be reached
   */
  async count(id: ChannelId): Promise<number> {
    return (await this.#roster(id)).count;
  }

  /** @throws HoldfastError UNAVAILABLE (rejects), likewise */
  async list(id: ChannelId): Promise<PresentUser[]> {
    return (await this.#roster(id)).users().flatMap(({ userId, devices, data }) => {
      const read = id.contract.presence?.receive(data.data, data.meta, "data");
      return read?.ok ? [{ userId, devices, data: read.value }] : [];
    });
  }

  /** These instances are gone: what they list stays through the grace. */
  gone(instances: readonly string[]): void {
    for (const { table } of this.#byChannel.values()) table?.gone(instances);
  }

  /** The store has lost what this instance lists. */
  putAgain(): void {
    for (const { table } of this.#byChannel.values()) table?.putAgain();
  }

  /** A channel may be used no more. */
  tidy(wire: string): void {
    const room = this.#byChannel.get(wire);
    if (!room) return;
    const { table, localPresence, presence } = room;
    if (table ? this.#parts.isUsed(wire) || localPresence.size > 0 || !table.isSettled : !presence.isEmpty) return;
    this.#byChannel.delete(wire);
    this.#close(room);
  }

  /** The server closes: the others are told, while the link is there. */
  async leave(): Promise<void> {
    await Promise.all([...this.#byChannel.values()].map(({ table }) => table?.leave()));
  }

  close(): void {
    for (const room of this.#byChannel.values()) this.#close(room);
    this.#byChannel.clear();
  }

  #close({ presence, localPresence, table }: PresenceRoom): void {
    presence.close();
    localPresence.close();
    table?.close();
  }

  #of(id: ChannelId): PresenceRoom {
    const { wire } = id;
    const found = this.#byChannel.get(wire);
    if (found) return found;
    const { settings, shared, members } = this.#parts;
    const { environment, graceMs } = settings;
    const onSettled = (): void => this.tidy(wire);
    const presence = new PresenceFeed(wire, settings, () => members(wire), onSettled);
    const localPresence: LocalPresence = new LocalPresence(
      environment,
      graceMs,
      presence.roster,
      (attending, isListed) => {
        const { userId, deviceId, listing } = attending;
        if (table) table.list(attending);
        else presence.apply(ALONE, userId, deviceId, isListed ? listing : undefined);
      },
    );
    const table: PresenceStore | undefined =
      shared && new PresenceStore({ ...shared, channel: id, graceMs, presence, localPresence, onSettled });
    const room = { presence, localPresence, table };
    this.#byChannel.set(wire, room);
    // One that could not be opened is of no use to the next who comes.
    table?.follower.opened.catch(() => {
      if (this.#byChannel.get(wire) === room) this.#byChannel.delete(wire);
      this.#close(room);
    });
    return room;
  }

  /** As it is known here, where somebody here is on the channel; otherwise as the others say. */
  async #roster(id: ChannelId): Promise<PresenceRoster> {
    const room = this.#byChannel.get(id.wire);
    const { shared } = this.#parts;
    if (!shared) return room?.presence.roster ?? new PresenceRoster();
    if (room?.table?.follower.isOpen) return room.presence.roster;
    const { entries, dead } = await readPresence(shared.link, presenceTopic(id), shared.id);
    for (const field of dead) entries.delete(field);
    const roster = new PresenceRoster();
    for (const [field, text] of entries) {
      const listed = readListed(field, text);
      if (listed && !listed.hasLeft) roster.apply(listed.instance, listed.userId, listed.deviceId, listed.listing);
    }
    return roster;
  }
}

function checked({ wire, contract }: ChannelId, value: unknown): RichValue {
  const sent = contract.presence?.send(value, "data");
  if (!sent?.ok) throw invalid(wire, sent?.fault ?? { field: "data", message: "no presence is declared." });
  if (JSON.stringify(sent.value).length > MAX_DATA) {
    const text = `${wire}: data: a user may show ${MAX_DATA} characters of JSON.`;
    throw new HoldfastError("LIMIT_EXCEEDED", text, { field: "data" });
  }
  return sent.value;
}

function invalid(wire: string, { message, ...details }: Fault): HoldfastError {
  return new HoldfastError("INVALID_VALUE", `${wire}: ${message}`, details);
}
