import { type ChannelId, type Fault, HoldfastError, type PresentUser, type RichValue } from "@holdfast/protocol";
import { LocalPresence } from "./local-presence.js";
import { PresenceFeed, presenceFrame, type PresenceSettings } from "./channel-presence.js";
import { type PresenceLink, PresenceStore, presenceTopic, readListed, readPresence } from "./presence-store.js";
import { PresenceRoster } from "./presence-roster.js";
import type { Subscriber } from "../log/subscriber.js";

/** The most presence data of one user on one channel. Characters of JSON. */
const MAX_DATA = 1_024;

/**
 * The presence of one channel: the feed to the members, the devices on this instance, and the store
 * if there can be other instances.
 */
interface PresenceRoom {
  readonly presence: PresenceFeed;
  readonly localPresence: LocalPresence;
  readonly table: PresenceStore | undefined;
}

export interface PresenceRegistryParts {
  readonly settings: PresenceSettings;
  /** The connection to the other instances; undefined if there can be none. */
  readonly shared: PresenceLink | undefined;
  /** The members of a channel on this instance. */
  members(wire: string): Iterable<Subscriber>;
  /** True if a channel has members on this instance or a client is about to join. */
  isUsed(wire: string): boolean;
}

/** The id of this instance if there can be no other instance. */
const ALONE = "";

/**
 * Presence for all channels of this instance. The registry creates the parts of a channel when the
 * first client joins, forwards each join, leave and update to them, and deletes the parts when the
 * channel is no longer used. `PresenceFeed` sends to the members, `LocalPresence` holds the devices
 * of this instance, and `PresenceStore` shares the listings with other instances.
 */
export class PresenceRegistry {
  readonly #parts: PresenceRegistryParts;
  readonly #byChannel = new Map<string, PresenceRoom>();

  constructor(parts: PresenceRegistryParts) {
    this.#parts = parts;
  }

  /**
   * How many channels are remembered. Clients choose channel keys, so this number must return to
   * zero when all clients have gone. Otherwise a client could fill the memory.
   */
  get size(): number {
    return this.#byChannel.size;
  }

  /**
   * Resolves when the presence of other instances is known here, which a join waits for. Undefined
   * if there is nothing to wait for.
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

  /** The presence data that a client of the user sent last, on any instance and any device. */
  said({ wire, contract }: ChannelId, userId: string): unknown {
    const room = this.#byChannel.get(wire);
    if (!room) return undefined;
    // Data sent here may still be on its way through the broker, so this instance's own listings
    // are read too.
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
   * Sets the presence data that other members see for a user, from one of the user's devices. If
   * `value` is undefined, the device shows nothing.
   * @throws HoldfastError INVALID_VALUE or LIMIT_EXCEEDED, naming the field `data`
   */
  set(id: ChannelId, { userId, deviceId }: Subscriber, value: unknown, said: unknown): void {
    const shown = value === undefined ? undefined : checked(id, value);
    if (userId !== undefined && deviceId !== undefined)
      this.#byChannel.get(id.wire)?.localPresence.set(userId, deviceId, shown, said);
  }

  /** Sends a new member the presence snapshot, if the channel has presence. */
  welcome(id: ChannelId, member: Subscriber): void {
    if (!id.contract.presence) return;
    const room = this.#byChannel.get(id.wire);
    // Nothing is stored for a channel without present users, so the snapshot is empty.
    if (room) room.presence.welcome(member);
    else member.deliver(presenceFrame(id.wire, "snapshot"));
  }

  /**
   * The number of users with presence data on a channel, on all instances.
   * @throws HoldfastError UNAVAILABLE (rejects) if no client of this instance is on the channel and
   *   the broker cannot be reached
   */
  async count(id: ChannelId): Promise<number> {
    return (await this.#roster(id)).count;
  }

  /**
   * The users with presence data on a channel, on all instances, in the order in which the users
   * joined.
   * @throws HoldfastError UNAVAILABLE (rejects), as `count`
   */
  async list(id: ChannelId): Promise<PresentUser[]> {
    return (await this.#roster(id)).users().flatMap(({ userId, devices, data }) => {
      const read = id.contract.presence?.receive(data.data, data.meta, "data");
      return read?.ok ? [{ userId, devices, data: read.value }] : [];
    });
  }

  /** These instances are gone. Their devices stay listed for the grace period. */
  gone(instances: readonly string[]): void {
    for (const { table } of this.#byChannel.values()) table?.gone(instances);
  }

  /** The store has lost data, so this instance stores all listings again. */
  putAgain(): void {
    for (const { table } of this.#byChannel.values()) table?.putAgain();
  }

  /** Deletes the presence of a channel if the channel is no longer used. */
  tidy(wire: string): void {
    const room = this.#byChannel.get(wire);
    if (!room) return;
    const { table, localPresence, presence } = room;
    if (table ? this.#parts.isUsed(wire) || localPresence.size > 0 || !table.isSettled : !presence.isEmpty) return;
    this.#byChannel.delete(wire);
    this.#close(room);
  }

  /**
   * The server closes. Marks this instance's listings as leaving while the broker link is still
   * open.
   */
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
    // If the store cannot be opened, the next client that joins starts with a new store.
    table?.follower.opened.catch(() => {
      if (this.#byChannel.get(wire) === room) this.#byChannel.delete(wire);
      this.#close(room);
    });
    return room;
  }

  /**
   * If a client of this instance is on the channel, the roster is known here. Otherwise the roster
   * is read from the store once.
   */
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
  if (!sent?.ok) throw invalid(wire, sent?.fault ?? { field: "data", message: "the channel declares no `presence`." });
  if (JSON.stringify(sent.value).length > MAX_DATA) {
    const text = `${wire}: data: expected at most ${MAX_DATA} characters of JSON.`;
    throw new HoldfastError("LIMIT_EXCEEDED", text, { field: "data" });
  }
  return sent.value;
}

function invalid(wire: string, { message, ...details }: Fault): HoldfastError {
  return new HoldfastError("INVALID_VALUE", `${wire}: ${message}`, details);
}
