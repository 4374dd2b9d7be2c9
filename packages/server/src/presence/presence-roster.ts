import type { PresenceMember, RichValue } from "@holdfast/protocol";

/** What a client has said, as it was read here, or as it travels from another instance. */
export type StoredClaim = { readonly value: unknown } | { readonly rich: RichValue };

/**
 * What an instance says of a device that it has on a channel. Stamps count up over all instances:
 * who makes one takes the highest it has seen, and one more. So every instance has the same order,
 * whether it heard of the changes or read the table.
 */
export interface Listing {
  /** When the user came. */
  readonly since: number;
  /** When the device did. */
  readonly came: number;
  /** When it last showed something new. */
  readonly at: number;
  /** What its client has said last. */
  readonly said?: StoredClaim | undefined;
  /** What others are to see, by this device; undefined: nothing. */
  readonly shown?: { readonly value: RichValue; readonly text: string } | undefined;
}

/**
 * A device on the channel, or one that left a moment ago. While it moves from one instance to
 * another, both list it.
 */
interface RosterDevice {
  readonly id: string;
  listings: readonly { readonly instance: string; readonly listing: Listing }[];
  /** The newest of them, which is what counts. */
  newest: Listing;
}

interface RosterUser {
  readonly id: string;
  since: number;
  readonly devices: Map<string, RosterDevice>;
  /** The user as others read it, kept until it changes. */
  entry: RosterEntry | undefined;
}

/** Two are the same when their texts are. */
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
 * Who is on one channel, by what the instances list. The same listings make the same roster, in
 * whatever order they came.
 */
export class PresenceRoster {
  #users = new Map<string, RosterUser>();
  #stamp = 0;
  /** The `since` of the last user. As long as it goes up, users stand in order. */
  #last = 0;
  #isInOrder = true;

  get isEmpty(): boolean {
    return this.#users.size === 0;
  }

  /** A stamp above all that were seen. */
  stamp(): number {
    return ++this.#stamp;
  }

  /**
   * What an instance lists, or does not list any more. Returns whether there is anything to be seen
   * of it.
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
      // Of two with the same stamp one is a copy of the other.
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

  /** What counts of a device, whichever instance lists it. */
  newest(userId: string, deviceId: string): Listing | undefined {
    return this.#users.get(userId)?.devices.get(deviceId)?.newest;
  }

  since(userId: string): number | undefined {
    return this.#users.get(userId)?.since;
  }

  /** The listing with what a client of the user has said last, on whatever device. */
  newestSaid(userId: string): Listing | undefined {
    const listings = [...(this.#users.get(userId)?.devices.values() ?? [])].map(({ newest }) => newest);
    return listings.filter(({ said }) => said).sort((a, b) => b.at - a.at)[0];
  }

  /** How many users are present, without listing them. */
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

  /** Who is to be on the list: the first who came, as many as fit. */
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
    // Two that came at the same time on two instances have the same stamp; their names then decide.
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

/** What is seen of a user: of those of its devices that show something, what the newest does. */
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

/** In the order they came. */
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
