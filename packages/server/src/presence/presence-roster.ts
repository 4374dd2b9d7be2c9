import type { PresenceMember, RichValue } from "@holdfast/protocol";

/**
 * Presence data that a client sent: as a value if this instance read it, or still encoded if the
 * data came from another instance.
 */
export type StoredClaim = { readonly value: unknown } | { readonly rich: RichValue };

/**
 * One instance's entry for a device on a channel. The stamps are logical times: a new stamp is the
 * highest stamp that the instance has seen, plus one. All instances therefore order the entries in
 * the same way, whether an instance received the changes or read the store.
 */
export interface Listing {
  /** The stamp of the user's join. */
  readonly since: number;
  /** The stamp of the device's join. */
  readonly came: number;
  /** The stamp of the latest change of `shown`. */
  readonly at: number;
  /** The presence data that the device's client sent last. */
  readonly said?: StoredClaim | undefined;
  /**
   * The presence data that other members see from this device; undefined if the device shows
   * nothing.
   */
  readonly shown?: { readonly value: RichValue; readonly text: string } | undefined;
}

/**
 * A device on the channel, or one that left within the grace period. While a device moves to
 * another instance, both instances may list the device.
 */
interface RosterDevice {
  readonly id: string;
  listings: readonly { readonly instance: string; readonly listing: Listing }[];
  /** The listing with the highest `at`. Only this listing has an effect. */
  newest: Listing;
}

interface RosterUser {
  readonly id: string;
  since: number;
  readonly devices: Map<string, RosterDevice>;
  /** The encoded user, cached until the user changes. */
  entry: RosterEntry | undefined;
}

/** A user as members receive it. Two entries are equal if their texts are equal. */
export interface RosterEntry {
  readonly member: PresenceMember;
  readonly text: string;
  readonly bytes: number;
}

export interface PresentDevices {
  readonly userId: string;
  readonly devices: string[];
  readonly data: RichValue;
}

/**
 * The users and devices on one channel, merged from the listings of all instances. The result
 * depends only on the listings, not on the order of arrival, so every instance computes the same
 * roster. The roster sends nothing: `PresenceFeed` compares the roster with the list that the
 * members have.
 */
export class PresenceRoster {
  #users = new Map<string, RosterUser>();
  #stamp = 0;
  /**
   * The highest `since` of all users so far. While each new user has a higher value, the map is
   * already in order.
   */
  #last = 0;
  #isInOrder = true;

  get isEmpty(): boolean {
    return this.#users.size === 0;
  }

  /** A new stamp, higher than every stamp seen so far. */
  stamp(): number {
    return ++this.#stamp;
  }

  /**
   * Sets or removes one instance's listing of a device. Returns true if members may see a
   * difference.
   */
  apply(instance: string, userId: string, deviceId: string, listing: Listing | undefined): boolean {
    if (listing) this.#stamp = Math.max(this.#stamp, listing.since, listing.came, listing.at);
    const user = this.#users.get(userId) ?? newUser(userId);
    const known = user.devices.get(deviceId);
    const listings = (known?.listings ?? []).filter((one) => one.instance !== instance);
    if (listing) listings.push({ instance, listing });
    if (listings.length === 0) {
      if (!known) return false;
      user.devices.delete(deviceId);
    } else {
      // Two listings with the same stamp are copies of each other.
      const newest = listings.map((one) => one.listing).reduce((a, b) => (b.at > a.at ? b : a));
      const before = known?.newest;
      if (known) Object.assign(known, { listings, newest });
      else user.devices.set(deviceId, { id: deviceId, listings, newest });
      const isSame = before?.at === newest.at && before.came === newest.came && before.since === newest.since;
      if (isSame && before.shown?.text === newest.shown?.text) return false;
    }
    this.#place(user);
    user.entry = undefined;
    return true;
  }

  /** The listing that counts for a device, from any instance. */
  newest(userId: string, deviceId: string): Listing | undefined {
    return this.#users.get(userId)?.devices.get(deviceId)?.newest;
  }

  since(userId: string): number | undefined {
    return this.#users.get(userId)?.since;
  }

  /** The listing with the presence data that a client of the user sent last, on any device. */
  newestSaid(userId: string): Listing | undefined {
    const listings = [...(this.#users.get(userId)?.devices.values() ?? [])].map(({ newest }) => newest);
    return listings.filter(({ said }) => said).sort((a, b) => b.at - a.at)[0];
  }

  /** The number of users with presence data. */
  get count(): number {
    let count = 0;
    for (const user of this.#users.values()) if (shownBy(user)) count++;
    return count;
  }

  users(): PresentDevices[] {
    return this.#ordered().flatMap((user) => {
      const data = shownBy(user)?.value;
      return data ? [{ userId: user.id, devices: devicesOf(user), data }] : [];
    });
  }

  /**
   * The users that a frame lists: those who joined first, as many as fit. `count` is the number of
   * all users with presence data.
   */
  listed(most: number, mostBytes: number): { entries: Map<string, RosterEntry>; count: number } {
    const entries = new Map<string, RosterEntry>();
    let count = 0;
    let bytes = 0;
    for (const user of this.#ordered()) {
      const data = shownBy(user)?.value;
      if (!data) continue;
      count++;
      const entry = (user.entry ??= entryOf(user, data));
      bytes += entry.bytes;
      if (entries.size < most && bytes <= mostBytes) entries.set(user.id, entry);
    }
    return { entries, count };
  }

  #place(user: RosterUser): void {
    const before = user.since;
    user.since = Math.min(
      ...[...user.devices.values()].flatMap(({ listings }) => listings.map(({ listing }) => listing.since)),
    );
    if (user.devices.size === 0) {
      this.#users.delete(user.id);
      return;
    }
    if (before === user.since) return;
    // If two users join on two instances at the same time, their stamps are equal. `#ordered` then
    // sorts them by user id.
    if (before !== Number.POSITIVE_INFINITY || user.since <= this.#last) this.#isInOrder = false;
    this.#last = Math.max(this.#last, user.since);
    this.#users.set(user.id, user);
  }

  #ordered(): RosterUser[] {
    const users = [...this.#users.values()];
    if (this.#isInOrder) return users;
    users.sort((a, b) => a.since - b.since || (a.id < b.id ? -1 : 1));
    this.#users = new Map(users.map((user) => [user.id, user]));
    this.#isInOrder = true;
    return users;
  }
}

function newUser(id: string): RosterUser {
  return { id, since: Number.POSITIVE_INFINITY, devices: new Map(), entry: undefined };
}

/**
 * The presence data that members see for a user: the latest of all the user's devices. If the data
 * of two devices is equally new, the lower device id decides.
 */
function shownBy({ devices }: RosterUser): { value: RichValue } | undefined {
  let seen: RosterDevice | undefined;
  for (const device of devices.values()) {
    if (!device.newest.shown) continue;
    const { at } = device.newest;
    const best = seen?.newest.at ?? -1;
    if (at > best || (at === best && device.id < seen!.id)) seen = device;
  }
  return seen?.newest.shown;
}

/** The ids of a user's devices, in the order in which the devices joined. */
function devicesOf({ devices }: RosterUser): string[] {
  const all = [...devices.values()];
  return all.sort((a, b) => a.newest.came - b.newest.came || (a.id < b.id ? -1 : 1)).map(({ id }) => id);
}

function entryOf(user: RosterUser, { data, meta }: RichValue): RosterEntry {
  const member: PresenceMember = {
    user_id: user.id,
    devices: devicesOf(user),
    data,
    ...(meta !== undefined && { meta }),
  };
  const text = JSON.stringify(member);
  return { member, text, bytes: Buffer.byteLength(text) };
}
